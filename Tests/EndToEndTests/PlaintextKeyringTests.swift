import DeploymentSimulator
import TestDesk
import Testing

/// gnome-keyring without a password keeps a text file that loses whatever is not one plain line.
@Suite(.blocking) struct `A keyring without a password, with everything in it` {
  @Test func `Our items and another application's survive restarts and each other's writing`()
    throws
  {
    try Desk.with(.plaintext) { desk in
      try desk.desktop.storeAsOtherApplication(
        desk.plant("theirs"), label: "Theirs", ["application": "another"])
      try desk.login()
      let token = try desk.token()
      let passwords = [
        "quotes": desk.plant(#" "double" 'single' "#), "slashes": desk.plant(#"\a\\n\"#),
        "rest": desk.plant("%0A[keyring]=ü#;"),
      ]
      for (user, password) in passwords {
        let told = try desk.run(["store"], input: request(user, password))
        #expect(told.status == 0, "\(told.stderr)")
      }
      let before = try desk.desktop.items()
      #expect(before.count == 6)
      for round in 1...2 {
        try desk.desktop.restartKeyring()
        try desk.desktop.storeAsOtherApplication(
          desk.plant("\(round)"), label: "Round", ["application": "another", "round": "\(round)"])
        try desk.desktop.restartKeyring()
      }
      #expect(try desk.token() == token)
      for (user, password) in passwords {
        let asked = try desk.run(["get"], input: request(user))
        #expect(asked["password"] == password, "\(user)")
      }
      let after = try desk.desktop.items()
      #expect(after.filter { !$0.label.hasPrefix("Round") } == before)
      #expect(after.count == before.count + 2)
    }
  }

  private func request(_ user: String, _ password: String? = nil) -> String {
    "protocol=https\nhost=git.example.com\nusername=\(user)\n"
      + (password.map { "password=\($0)\n" } ?? "")
  }

  @Test func `A refresh after a restart finds and keeps everything`() throws {
    try Desk.with(.plaintext) { desk in
      try desk.login()
      let old = try desk.token()
      try desk.desktop.restartKeyring()
      desk.deployment.clearLog()
      let new = try desk.token("--min-ttl", "31536000")
      #expect(new != old)
      #expect(desk.deployment.requests.count == 1)
      try desk.desktop.restartKeyring()
      #expect(try desk.token() == new)
      #expect(try desk.desktop.items().count == 2)
    }
  }
}
