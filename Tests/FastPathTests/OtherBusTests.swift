import Foundation
import TestDesk
import Testing

/// How sandboxes and containers reach the session's bus.
@Suite(.blocking) struct `The fast path and the bus` {
  static let poison = "echo poisoned; exit 99"
  static let mapsUsers =
    (try? ChildProcess.run("/usr/bin/unshare", ["--user", "true"], environment: [:]))?.status == 0

  @Test(arguments: [[], PrivateDesktop.onlySecrets])
  func `reach each other through the proxy of sandboxes`(options: [String]) throws {
    try Desk.with { desk in
      try desk.store("https://fresh.example")
      let fastPath = try desk.copyFastPath(fullProgram: Self.poison)
      let address = try desk.desktop.startProxy(options)
      let result = try desk.callAlone(
        fastPath, .words("token", with: ["DBUS_SESSION_BUS_ADDRESS": address]))
      #expect(result.stdout == "\(storedToken)\n", "\(result.stderr)")
    }
  }

  @Test(
    .enabled(if: mapsUsers, "user namespaces are not allowed here"),
    arguments: ["1000", "\(getuid())"])
  func `reach each other from a user namespace, whatever our number is there`(user: String) throws {
    try Desk.with { desk in
      try desk.store("https://fresh.example")
      let fastPath = try desk.copyFastPath(fullProgram: Self.poison)
      let words = ["--user", "--map-user=\(user)", fastPath, "token"]
      var result = try desk.desktop.run("unshare", words)
      // A busy machine made it hand over: then once more.
      for _ in 1...5 where result.status == 99 { result = try desk.desktop.run("unshare", words) }
      #expect(result.stdout == "\(storedToken)\n", "\(result.stderr)")
    }
  }

  @Test func `reach each other on dbus-broker`() throws {
    try Desk.with(bus: .broker) { desk in
      try desk.store("https://fresh.example")
      let fastPath = try desk.copyFastPath(fullProgram: Self.poison)
      let result = try desk.callAlone(fastPath, .words("token"))
      #expect(result.stdout == "\(storedToken)\n", "\(result.stderr)")
    }
  }
}
