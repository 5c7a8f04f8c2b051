import DeploymentSimulator
import Foundation
import Synchronization
import TestDesk
import Testing

/// Processes that share a keyring and no runtime directory: sandboxes, containers, cron.
@Suite(.blocking) struct `Two runtime directories on one keyring` {
  /// How the second side runs a command of ours.
  private struct Side {
    var wrapper: [String] = []
    var environment: [String: String] = [:]
  }

  /// Lets both sides ask for a token at once, again and again.
  private func race(_ desk: Desk, _ second: Side, isLease: Bool = false) throws {
    let directory = "\(desk.directory)/other-run"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let environment = ["XDG_RUNTIME_DIR": directory].merging(second.environment) { $1 }
    for _ in 0..<rounds(2, full: 50) {
      try desk.expire()
      desk.deployment.inject(.delay(milliseconds: isLease ? 1_000 : 300), at: .refresh)
      let turn = Atomic(0)
      let results = try concurrently(rounds(8, full: 40)) {
        if turn.add(1, ordering: .relaxed).oldValue.isMultiple(of: 2) {
          return try desk.run(["token", desk.url])
        }
        let words = second.wrapper + [desk.program, "token", desk.url]
        return try desk.run(words[0], Array(words.dropFirst()), environment: environment)
      }
      // Who started the refresh waits ten seconds for it, and says so when they are over.
      for result in results where result.status != 0 && !result.stderr.contains("goes on waiting") {
        Issue.record("\(result.status): \(result.stderr)")
      }
      #expect(Set(results.filter { $0.status == 0 }.map(\.stdout)).count == 1)
      #expect(desk.deployment.refreshes.count { $0.status == 200 } == 1)
      // A lease cannot stand a process that is late between its look and its write: that one is refused.
      #expect(isLease || desk.deployment.refreshes.count == 1)
      try desk.token()
    }
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `refresh a session once, and lose none`(era: DeploymentSimulator.Era) throws {
    try Desk.withSession(.init(era: era)) { desk in try race(desk, Side()) }
  }

  @Test func `also in a mount namespace of its own`() throws {
    try Desk.withSession { desk in
      let asRoot = geteuid() == 0
      var words = ["unshare", "--mount"]
      if !asRoot { words += ["--user", "--map-current-user"] }
      let probe = try desk.desktop.run(
        "/bin/sh", ["-c", (words + ["true"]).joined(separator: " ")])
      try #require(probe.status == 0, "no namespace can be made here: \(probe.stderr)")
      words += [
        "/bin/sh", "-c", "mount -t tmpfs -o mode=700 none \"$XDG_RUNTIME_DIR\" && exec \"$@\"",
        "sh",
      ]
      try race(desk, Side(wrapper: words))
    }
  }

  @Test func `also behind a proxy that lets only the Secret Service through`() throws {
    try Desk.withSession { desk in
      let proxied = ["DBUS_SESSION_BUS_ADDRESS": try desk.desktop.startProxy()]
      try race(desk, Side(environment: proxied), isLease: true)
    }
  }
}
