import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What a person is told while the keyring is locked.
@Suite(.blocking) struct `While the keyring is locked` {
  private static let password =
    "protocol=https\nhost=git.example.com\nusername=ann\npassword="

  @Test func `a password kept for git is no second deployment`() throws {
    try Desk.withSession { desk in
      try desk.run(["store"], input: "\(Self.password)\(desk.plant())\n")
      try desk.desktop.lock()
      for arguments in [["header", "--format", "authorization"], ["api", "users/me"], ["token"]] {
        expectFailure(try desk.run(arguments), 69, saying: "is locked", arguments[0])
      }
      #expect(!(try desk.run(["doctor", "--json"]).stdout.contains("git.example.com")))
      let listed = try desk.shown(["list"])
      let heading = try #require(listed.range(of: "Passwords kept for git"))
      #expect(listed[heading.upperBound...].contains("https://git.example.com"))
      #expect(!listed[..<heading.lowerBound].contains("git.example.com"))
      #expect(
        try desk.run(["status"]).stdout.contains(
          "https://git.example.com (password kept for git)\n"))
    }
  }

  @Test func `several deployments are locked, and not a question of which one`() throws {
    try Desk.withSession { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      try desk.login(to: other.url)
      try desk.desktop.lock()
      expectFailure(try desk.run(["header", "--format", "authorization"]), 69, saying: "is locked")
    }
  }

  @Test func `items that cannot be told apart are one line`() throws {
    try Desk.withSession { desk in
      try desk.run(["store"], input: "\(Self.password)\(desk.plant())\n")
      try desk.desktop.restartKeyring(unlock: false)
      let status = try desk.run(["status"]).stdout
      #expect(status.components(separatedBy: "(locked)").count == 2, "\(status)")
      let listed = try desk.shown(["list"])
      #expect(listed.components(separatedBy: "(locked)").count == 3, "\(listed)")
    }
  }

  @Test(arguments: [["status"], ["list"], ["token"], ["doctor"]])
  func `the command that unlocks it is told, where nothing can show a window`(
    arguments: [String]
  ) throws {
    try Desk.withSession { desk in
      try desk.desktop.lock()
      let result = try desk.run(arguments)
      let text = result.stdout + result.stderr
      #expect(
        text.contains("gnome-keyring-daemon --replace --daemonize --unlock --components=secrets"))
      let display = try desk.run(arguments, environment: ["DISPLAY": ":99"])
      let more = arguments == ["doctor"] ? "" : "; where it shows no window, see coder-cred doctor"
      #expect(
        (display.stdout + display.stderr).contains("unlock it in your keyring application\(more)"))
    }
  }

  @Test func `that command unlocks it, with the password typed and not shown`() throws {
    try Desk.withSession { desk in
      try desk.desktop.lock()
      let hint = try #require(try desk.run(["token"]).message("hint"))
      let start = try #require(hint.range(of: "(read"))
      let command = "echo ready; \(hint[start.lowerBound...])"
      try desk.withTerminal("/bin/bash", ["-c", command]) { terminal in
        try terminal.expect("ready")
        waitFor("a quiet terminal") { !terminal.isEchoing }
        terminal.type(desk.desktop.password)
        #expect(terminal.end() == .status(0))
        #expect(!terminal.transcript.contains(desk.desktop.password))
      }
      try desk.token()
    }
  }
}
