import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `Signing out` {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `Signing out revokes refresh token, access token and registration, and keeps nothing`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      try desk.login()
      desk.deployment.clearLog()
      let result = try desk.run(["logout"])
      #expect(result.status == 0, "\(result.stderr)")
      #expect(result.stderr == "Signed out of \(desk.url) as alice.\n")
      #expect(result.stdout.isEmpty)
      let asked = desk.deployment.requests.map { "\($0.method) \($0.path.prefix(16))" }
      #expect(asked == ["POST /oauth2/revoke", "POST /oauth2/revoke", "DELETE /oauth2/clients/"])
      let hints = desk.deployment.requests.compactMap { $0.form["token_type_hint"] }
      #expect(hints == ["refresh_token", "access_token"])
      #expect(desk.deployment.liveTokenPairs == 0)
      #expect(desk.deployment.registeredClients.isEmpty)
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `With --keep-client the next sign-in registers nothing`() throws {
    try Desk.with { desk in
      try desk.login()
      #expect(try desk.run(["logout", "--keep-client", desk.url]).status == 0)
      #expect(desk.deployment.registeredClients.count == 1)
      desk.deployment.clearLog()
      try desk.login()
      #expect(desk.deployment.requests.count(method: "POST", path: "/oauth2/register") == 0)
    }
  }

  @Test func `Of two accounts one must be named, and the other keeps the client`() throws {
    try Desk.with(.unlocked, .init(era: .c, users: ["alice", "bob"])) { desk in
      try desk.login(as: "alice")
      try desk.login(as: "bob")
      let ambiguous = try desk.run(["logout", desk.url])
      #expect(ambiguous.status == 64)
      #expect(ambiguous.stderr.contains("alice, bob"))
      #expect(try desk.run(["logout", desk.url, "--account", "alice"]).status == 0)
      #expect(desk.deployment.registeredClients.count == 1)
      #expect(desk.deployment.liveTokenPairs == 1)
      #expect(try desk.run(["token", desk.url]).status == 0)
      #expect(try desk.run(["logout", desk.url]).status == 0)
      #expect(desk.deployment.registeredClients.isEmpty)
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `--all with a URL signs every account out`() throws {
    try Desk.with(.unlocked, .init(era: .c, users: ["alice", "bob"])) { desk in
      try desk.login(as: "alice")
      try desk.login(as: "bob")
      #expect(try desk.run(["logout", desk.url, "--all"]).status == 0)
      #expect(desk.deployment.liveTokenPairs == 0)
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `A deployment that cannot be reached keeps no secret here, and says what remains`()
    throws
  {
    try Desk.with { desk in
      try desk.login()
      desk.deployment.stop()
      let result = try desk.run(["logout", desk.url])
      #expect(result.status == 75)
      let lines = result.stderr.split(separator: "\n")
      #expect(lines.count == 3, "\(result.stderr)")
      #expect(lines.first?.contains("could not revoke the tokens") == true)
      #expect(lines.dropFirst().first?.contains("registered") == true)
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `Where OAuth is switched off, the deployment's own sign-out ends the grant`() throws {
    try Desk.with { desk in
      try desk.login()
      let token = try desk.run(["token"]).stdout.trimmingCharacters(in: .whitespacesAndNewlines)
      desk.deployment.setProvider(enabled: false)
      let result = try desk.run(["logout", desk.url])
      // The registration alone is left: there is nobody to end it.
      #expect(result.status == 76, "\(result.stderr)")
      #expect(result.stderr.contains("stays registered"))
      #expect(!result.stderr.contains("could not revoke"))
      #expect(!desk.deployment.isValid(accessToken: token))
      #expect(desk.deployment.liveTokenPairs == 0)
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `A dead access token revokes nothing where OAuth is switched off`() throws {
    try Desk.with { desk in
      try desk.login()
      desk.deployment.expireAccessTokens()
      desk.deployment.setProvider(enabled: false)
      let result = try desk.run(["logout", desk.url, "--keep-client"])
      #expect(result.status == 76)
      #expect(result.stderr.contains("could not revoke the tokens"))
      #expect(try desk.sessions().isEmpty && desk.registrations().count == 1)
    }
  }

  @Test func `A revocation endpoint that is down is gone around`() throws {
    try Desk.with { desk in
      try desk.login()
      desk.deployment.inject(.status(503), at: .revocation, times: 9)
      let result = try desk.run(["logout", desk.url])
      #expect(result.status == 0, "\(result.stderr)")
      #expect(desk.deployment.liveTokenPairs == 0)
      #expect(desk.deployment.registeredClients.isEmpty)
    }
  }

  @Test func `A deployment that fails at everything is not believed, and the secrets go`() throws {
    try Desk.with { desk in
      try desk.login()
      desk.deployment.inject(.status(503), at: "POST /oauth2/*", times: 9)
      desk.deployment.inject(.htmlPage, at: "POST /api/v2/users/logout", times: 9)
      desk.deployment.inject(.status(500), at: .clientConfiguration, times: 9)
      let result = try desk.run(["logout", desk.url])
      #expect(result.status == 75)
      #expect(result.stderr.contains("could not revoke the tokens"))
      #expect(result.stderr.contains("stays registered"))
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `A client that an administrator has deleted counts as ended`() throws {
    try Desk.with { desk in
      try desk.login()
      desk.deployment.deleteClient()
      let result = try desk.run(["logout", desk.url])
      #expect(result.status == 0, "\(result.stderr)")
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `A locked keyring ends it before anything is sent`() throws {
    try Desk.with { desk in
      try desk.login()
      desk.deployment.clearLog()
      try desk.desktop.lock()
      #expect(try desk.run(["logout", desk.url]).status == 69)
      #expect(try desk.run(["logout", "--all"]).status == 69)
      #expect(desk.deployment.requests.isEmpty)
      try desk.desktop.unlock()
      #expect(try desk.run(["token"]).status == 0)
    }
  }

  @Test func `A refresh under way does not bring back what is signed out`() throws {
    try Desk.with { desk in
      try desk.login()
      desk.deployment.inject(.hold, at: .refresh, afterActing: true)
      let refresh = try desk.start(
        ["token", "--min-ttl", "31536000", desk.url], log: "/dev/null")
      let isUnderWay = desk.deployment.wait {
        $0.contains { $0.path == "/oauth2/tokens" && $0.fault != nil }
      }
      #expect(isUnderWay)
      let logout = try desk.start(["logout", desk.url])
      // Long enough for a logout that would not wait.
      #expect(logout.waitForExit(timeoutSeconds: 0.5) == nil)
      desk.deployment.releaseHeld()
      #expect(refresh.waitForExit() == .status(0))
      #expect(logout.waitForExit() == .status(0))
      #expect(try desk.desktop.items().isEmpty)
      #expect(desk.deployment.liveTokenPairs == 0)
    }
  }

  @Test func `A client that a newer version has written stays, and keeps nobody signed in`() throws
  {
    try Desk.with { desk in
      try desk.login()
      try desk.desktop.storeAsOtherApplication(
        #"{"v":99,"url":"\#(desk.url)"}"#,
        ["application": "coder-cred", "kind": "client", "deployment": desk.url])
      #expect(try desk.run(["logout", desk.url]).status == 0)
      #expect(try desk.sessions().isEmpty && desk.registrations().count == 1)
    }
  }

  @Test func `A token made elsewhere is removed here and lives on, unless --revoke`() throws {
    try Desk.with { desk in
      for revoke in [false, true] {
        let token = desk.deployment.session(user: "alice")
        try desk.signInCoderCLI(token: token)
        #expect(try desk.run(["import"]).status == 0)
        let result = try revoke ? desk.run(["logout", "--revoke"]) : desk.run(["logout"])
        #expect(result.status == 0, "\(result.stderr)")
        #expect(result.stderr.contains("not revoked") == !revoke)
        #expect(desk.deployment.isValid(accessToken: token) == !revoke)
        #expect(try desk.desktop.items().isEmpty)
      }
    }
  }

  @Test func `Everywhere means every deployment, with one summary and the worst status`() throws {
    try Desk.with { desk in
      let other = try desk.anotherDeployment(.init(era: .a))
      defer { other.stop() }
      try desk.login()
      try desk.login(to: other.url)
      desk.deployment.stop()
      let result = try desk.run(["logout", "--all"])
      #expect(result.status == 75)
      #expect(result.stderr.contains("Signed out of 2 sessions with 2 deployments."))
      #expect(other.liveTokenPairs == 0)
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `With nobody signed in there is nothing to do, and a word about it`() throws {
    try Desk.with { desk in
      for arguments in [[], ["--all"], [desk.url]] {
        let result = try desk.run(["logout"] + arguments)
        #expect(result.status == 0)
        #expect(result.stderr.contains("obody is signed in"))
      }
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test func `Passwords kept for git stay, and what is not ours to use stays`() throws {
    try Desk.with { desk in
      let password = "protocol=https\nhost=git.example.com\nusername=u\npassword=p\n"
      #expect(try desk.run(["store"], input: password).status == 0)
      #expect(try desk.run(["logout", "--all"]).status == 0)
      #expect(try desk.sessions().count == 1)
      try desk.desktop.storeAsOtherApplication(
        #"{"v":99}"#,
        [
          "application": "coder-cred", "kind": "session", "deployment": "https://x.example",
          "account": "eve",
        ])
      let result = try desk.run(["logout", "https://x.example"])
      #expect(result.status == 65, "\(result.stderr)")
      #expect(try desk.sessions().map { $0.attributes["deployment"] }.contains("https://x.example"))
    }
  }
}
