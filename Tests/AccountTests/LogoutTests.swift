import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite struct LogoutTests {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `Signing out revokes refresh token, access token and registration, and keeps nothing`(
    era: DeploymentSimulator.Era
  ) throws {
    let desk = try Desk(era: era)
    try desk.login()
    desk.deployment.clearLog()
    let result = try desk.run("logout")
    #expect(result.status == 0, "\(result.stderr)")
    #expect(result.stderr == "Signed out of \(desk.url) as alice.\n")
    #expect(result.stdout.isEmpty)
    let asked = desk.deployment.requests.map { "\($0.method) \($0.path.prefix(16))" }
    #expect(asked == ["POST /oauth2/revoke", "POST /oauth2/revoke", "DELETE /oauth2/clients/"])
    let hints = desk.deployment.requests.compactMap { $0.form["token_type_hint"] }
    #expect(hints == ["refresh_token", "access_token"])
    #expect(desk.deployment.liveTokenPairs == 0)
    #expect(desk.deployment.registeredClients.isEmpty)
    #expect(try desk.items().isEmpty)
  }

  @Test func `With --keep-client the next sign-in registers nothing`() throws {
    let desk = try Desk()
    try desk.login()
    #expect(try desk.run("logout", "--keep-client", desk.url).status == 0)
    #expect(desk.deployment.registeredClients.count == 1)
    desk.deployment.clearLog()
    try desk.login()
    #expect(desk.deployment.requests.count(method: "POST", path: "/oauth2/register") == 0)
  }

  @Test func `Of two accounts one must be named, and the other keeps the client`() throws {
    let desk = try Desk(users: ["alice", "bob"])
    try desk.login(as: "alice")
    try desk.login(as: "bob")
    let ambiguous = try desk.run("logout", desk.url)
    #expect(ambiguous.status == 64)
    #expect(ambiguous.stderr.contains("alice, bob"))
    #expect(try desk.run("logout", desk.url, "--account", "alice").status == 0)
    #expect(desk.deployment.registeredClients.count == 1)
    #expect(desk.deployment.liveTokenPairs == 1)
    #expect(try desk.run("token", desk.url).status == 0)
    #expect(try desk.run("logout", desk.url).status == 0)
    #expect(desk.deployment.registeredClients.isEmpty)
    #expect(try desk.items().isEmpty)
  }

  @Test func `--all with a URL signs every account out`() throws {
    let desk = try Desk(users: ["alice", "bob"])
    try desk.login(as: "alice")
    try desk.login(as: "bob")
    #expect(try desk.run("logout", desk.url, "--all").status == 0)
    #expect(desk.deployment.liveTokenPairs == 0)
    #expect(try desk.items().isEmpty)
  }

  @Test func `A deployment that cannot be reached keeps no secret here, and says what remains`()
    throws
  {
    let desk = try Desk()
    try desk.login()
    desk.deployment.stop()
    let result = try desk.run("logout", desk.url)
    #expect(result.status == 75)
    let lines = result.stderr.split(separator: "\n")
    #expect(lines.count == 3, "\(result.stderr)")
    #expect(lines.first?.contains("not revoked") == true)
    #expect(lines.dropFirst().first?.contains("registered") == true)
    #expect(try desk.items().isEmpty)
  }

  @Test func `Where OAuth is switched off, the deployment's own sign-out ends the grant`() throws {
    let desk = try Desk()
    try desk.login()
    let token = try desk.run("token").stdout.trimmingCharacters(in: .whitespacesAndNewlines)
    desk.deployment.setProvider(enabled: false)
    let result = try desk.run("logout", desk.url)
    // The registration alone is left: there is nobody to end it.
    #expect(result.status == 76, "\(result.stderr)")
    #expect(result.stderr.contains("stays registered"))
    #expect(!result.stderr.contains("not revoked"))
    #expect(!desk.deployment.isValid(accessToken: token))
    #expect(desk.deployment.liveTokenPairs == 0)
    #expect(try desk.items().isEmpty)
  }

  @Test func `A dead access token revokes nothing where OAuth is switched off`() throws {
    let desk = try Desk()
    try desk.login()
    desk.deployment.expireAccessTokens()
    desk.deployment.setProvider(enabled: false)
    let result = try desk.run("logout", desk.url, "--keep-client")
    #expect(result.status == 76)
    #expect(result.stderr.contains("not revoked"))
    let left = try desk.items()
    #expect(!left.contains("kind = session") && left.contains("kind = client"))
  }

  @Test func `A revocation endpoint that is down is gone around`() throws {
    let desk = try Desk()
    try desk.login()
    desk.deployment.inject(.status(503), at: .revocation, times: 9)
    let result = try desk.run("logout", desk.url)
    #expect(result.status == 0, "\(result.stderr)")
    #expect(desk.deployment.liveTokenPairs == 0)
    #expect(desk.deployment.registeredClients.isEmpty)
  }

  @Test func `A deployment that fails at everything is not believed, and the secrets go`() throws {
    let desk = try Desk()
    try desk.login()
    desk.deployment.inject(.status(503), at: "POST /oauth2/*", times: 9)
    desk.deployment.inject(.htmlPage, at: "POST /api/v2/users/logout", times: 9)
    desk.deployment.inject(.status(500), at: .clientConfiguration, times: 9)
    let result = try desk.run("logout", desk.url)
    #expect(result.status == 75)
    #expect(result.stderr.contains("not revoked") && result.stderr.contains("stays registered"))
    #expect(try desk.items().isEmpty)
  }

  @Test func `A client that an administrator has deleted counts as ended`() throws {
    let desk = try Desk()
    try desk.login()
    desk.deployment.deleteClient()
    let result = try desk.run("logout", desk.url)
    #expect(result.status == 0, "\(result.stderr)")
    #expect(try desk.items().isEmpty)
  }

  @Test func `A locked keyring ends it before anything is sent`() throws {
    let desk = try Desk()
    try desk.login()
    desk.deployment.clearLog()
    try desk.session.lock()
    #expect(try desk.run("logout", desk.url).status == 69)
    #expect(try desk.run("logout", "--all").status == 69)
    #expect(desk.deployment.requests.isEmpty)
    try desk.session.unlock()
    #expect(try desk.run("token").status == 0)
  }

  @Test func `A refresh under way does not bring back what is signed out`() throws {
    let desk = try Desk()
    try desk.login()
    desk.deployment.inject(.hold, at: .refresh, afterActing: true)
    let refresh = try desk.session.start(
      desk.program, ["token", "--min-ttl", "31536000", desk.url], environment: desk.environment,
      log: "/dev/null")
    let isUnderWay = desk.deployment.wait {
      $0.contains { $0.path == "/oauth2/tokens" && $0.fault != nil }
    }
    #expect(isUnderWay)
    let logout = try desk.session.start(
      desk.program, ["logout", desk.url], environment: desk.environment)
    // Long enough for a logout that would not wait.
    #expect(logout.waitForExit(timeoutSeconds: 0.5) == nil)
    desk.deployment.releaseHeld()
    #expect(refresh.waitForExit(timeoutSeconds: 20) == .status(0))
    #expect(logout.waitForExit(timeoutSeconds: 20) == .status(0))
    #expect(try desk.items().isEmpty)
    #expect(desk.deployment.liveTokenPairs == 0)
  }

  @Test func `A client that a newer version has written stays, and keeps nobody signed in`() throws
  {
    let desk = try Desk()
    try desk.login()
    _ = try desk.session.run(
      "secret-tool",
      [
        "store", "--label=new", "application", "coder-cred", "kind", "client", "deployment",
        desk.url,
      ], input: Array("{\"v\":99,\"url\":\"\(desk.url)\"}".utf8))
    #expect(try desk.run("logout", desk.url).status == 0)
    let left = try desk.items()
    #expect(left.contains("kind = client") && !left.contains("kind = session"))
  }

  @Test func `A token made elsewhere is removed here and lives on, unless --revoke`() throws {
    let desk = try Desk()
    for revoke in [false, true] {
      let token = desk.deployment.session(user: "alice")
      try desk.write(desk.url, to: "\(desk.coderCLI)/url")
      try desk.write(token, to: "\(desk.coderCLI)/session")
      #expect(try desk.run("import").status == 0)
      let result = try revoke ? desk.run("logout", "--revoke") : desk.run("logout")
      #expect(result.status == 0, "\(result.stderr)")
      #expect(result.stderr.contains("not revoked") == !revoke)
      #expect(desk.deployment.isValid(accessToken: token) == !revoke)
      #expect(try desk.items().isEmpty)
    }
  }

  @Test func `Everywhere means every deployment, with one summary and the worst status`() throws {
    let desk = try Desk()
    let other = try Desk.deployment(era: .a)
    defer { other.stop() }
    try desk.login()
    try desk.login(to: other.url)
    desk.deployment.stop()
    let result = try desk.run("logout", "--all")
    #expect(result.status == 75)
    #expect(result.stderr.contains("Signed out of 2 of 2 sessions with 2 deployments."))
    #expect(other.liveTokenPairs == 0)
    #expect(try desk.items().isEmpty)
  }

  @Test func `With nobody signed in there is nothing to do, and a word about it`() throws {
    let desk = try Desk()
    for arguments in [[], ["--all"], [desk.url]] {
      let result = try desk.session.run(desk.program, ["logout"] + arguments)
      #expect(result.status == 0)
      #expect(result.stderr.contains("obody is signed in"))
    }
    #expect(desk.deployment.requests.isEmpty)
  }

  @Test func `Passwords kept for git stay, and what is not ours to use stays`() throws {
    let desk = try Desk()
    let password = "protocol=https\nhost=git.example.com\nusername=u\npassword=p\n"
    #expect(try desk.run("store", input: password).status == 0)
    #expect(try desk.run("logout", "--all").status == 0)
    #expect(try desk.items().contains("git.example.com"))
    let attributes = [
      "application", "coder-cred", "kind", "session", "deployment", "https://x.example", "account",
      "eve",
    ]
    _ = try desk.session.run(
      "secret-tool", ["store", "--label=odd"] + attributes, input: Array("{\"v\":99}".utf8))
    let result = try desk.run("logout", "https://x.example")
    #expect(result.status == 65, "\(result.stderr)")
    #expect(try desk.items().contains("x.example"))
  }
}
