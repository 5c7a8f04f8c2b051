import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `doctor` {
  @Test func `On a machine where all is well every line is ok, and nothing is left behind`() throws
  {
    try Desk.withSession { desk in
      let report = try desk.doctor(environment: try desk.wellEquipped())
      #expect(report.lines.allSatisfy { $0.status == "ok" }, "\(report.lines)")
      #expect(report.result.status == 0 && report.result.messages.isEmpty)
      #expect(Set(report.lines.map(\.check)).count == report.lines.count)
      #expect(report.lines.count == 19, "\(report.lines.map(\.check))")
      #expect(try desk.desktop.items(["kind": "probe"]).isEmpty)
      #expect(desk.deployment.refreshes.isEmpty)
      // The home directory holds a person's name.
      #expect(!report.result.stdout.contains("\(desk.directory)/home/"))
    }
  }

  @Test func `As text it says the same, each line with what fixes it`() throws {
    try Desk.with(.withoutBus) { desk in
      let result = try desk.run(["doctor"], environment: try desk.path(desk.install()))
      #expect(result.status == 69)
      #expect(result.lines.contains { $0.hasPrefix("failure   session bus: ") })
      #expect(result.lines.contains { $0.hasPrefix("          fix: ") })
      #expect(result.lines.contains { $0.hasPrefix("ok        settings: none") })
      #expect(
        result.message("error") == "doctor found 1 failure, the first one in: session bus")
    }
  }

  @Test
  func `On a terminal its lines fit, what needs attention has colour, and commands stay whole`()
    throws
  {
    try Desk.with(.locked) { desk in
      let shown = try desk.shown(["doctor"], environment: ["PATH": "/usr/bin:/bin"], status: 69)
      #expect(shown.contains("\u{1B}[31mfailure\u{1B}[0m   keyring: "))
      #expect(shown.contains("\u{1B}[33mwarning\u{1B}[0m   programs: "))
      let lines = shown.replacing(/\u{1B}\[[0-9]*m/, with: "").split(separator: "\n")
      let messages = lines.prefix { !$0.hasPrefix("coder-cred: ") }.filter {
        !$0.hasPrefix("          fix: ") && !$0.hasPrefix("               ")
      }
      #expect(messages.allSatisfy { $0.count <= 80 || !$0.dropFirst(10).contains(" ") }, "\(shown)")
      let plain = try desk.shown(["doctor"], environment: ["NO_COLOR": "1"], status: 69)
      #expect(!plain.contains("\u{1B}"))
    }
  }

  @Test func `A repair is asked for, so that there is none without a terminal`() throws {
    try Desk.with { desk in
      expectFailure(try desk.run(["doctor", "--fix"]), 64, saying: "terminal")
      expectFailure(try desk.run(["doctor", "--fix", "--json"]), 64, saying: "--json")
    }
  }

  @Test func `Two at once do not see each other's probe`() throws {
    try Desk.with { desk in
      _ = try desk.install()
      _ = try concurrently(4) {
        try desk.doctor().expect("keyring round trip", "ok")
      }
      #expect(try desk.desktop.items(["kind": "probe"]).isEmpty)
    }
  }

  @Test func `A deployment and a keyring that never answer do not keep it`() throws {
    try Desk.withSession { desk in
      desk.deployment.inject(.hold, at: "/*", times: 100)
      let report = try desk.doctor()
      try report.expect("server", "failure", saying: "did not answer")
      #expect(report.result.status == 75)
      desk.deployment.releaseHeld()
    }
    try Desk.with(.fake([.hangs])) { desk in
      let report = try desk.doctor()
      #expect(report.result.status != 0)
    }
  }
}

extension Desk {
  /// The environment of a machine that lacks nothing: a browser, a timer, git that asks us.
  func wellEquipped() throws -> [String: String] {
    let tools = "\(directory)/tools"
    try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
    try script(
      """
      case "$*" in
      *refresh.timer*) printf 'LoadState=loaded\\nActiveState=active\\nLastTriggerUSec=n/a\\n' ;;
      *) printf 'LoadState=loaded\\nResult=success\\nExecStart={ path=/bin/true ; argv[]=x }\\n' ;;
      esac
      """, at: "\(tools)/systemctl")
    try run("git", ["config", "--global", "credential.helper", "coder-cred"])
    return try path(install(), tools).merging(browser()) { $1 }
  }
}
