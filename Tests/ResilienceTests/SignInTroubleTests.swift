import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A sign-in to which something happens while or after the person consents.
@Suite(.blocking) struct `A sign-in in trouble` {
  /// Starts a login, consents, and returns it while it exchanges the code.
  private func consent(_ desk: Desk, _ arguments: [String] = [], as user: String? = nil) throws
    -> WaitingLogin
  {
    let waiting = try WaitingLogin(desk, arguments)
    let callback = try desk.deployment.callback(of: waiting.address(), user: user)
    #expect(try Exchange.send("GET", callback).status == 200)
    return waiting
  }

  @Test func `keeps what it brought although a refresh of the former session hangs`() throws {
    try Desk.withSession { desk in
      try desk.age()
      desk.deployment.inject(.hold, at: .refresh)
      let child = try desk.start(["token", desk.url], log: "/dev/null")
      #expect(desk.deployment.wait { !$0.tokenRequests().isEmpty })
      let login = try consent(desk)
      #expect(login.process.waitForExit() == .status(0), "\(login.output)")
      let token = try desk.token()
      // The late refresh saves nothing over it, and ends nothing.
      desk.deployment.releaseHeld()
      #expect(child.waitForExit() != nil)
      try desk.waitForRefreshes()
      #expect(try desk.token() == token)
    }
  }

  @Test func `hands nobody the former token while the code is exchanged`() throws {
    try Desk.withSession { desk in
      desk.deployment.inject(.hold, at: .exchange, afterActing: true)
      let login = try consent(desk)
      waitFor("the exchange") {
        !desk.deployment.requests.tokenRequests(grant: "authorization_code").isEmpty
      }
      let pending = Background { try desk.run(["token", desk.url]) }
      usleep(500_000)
      desk.deployment.releaseHeld()
      #expect(login.process.waitForExit() == .status(0), "\(login.output)")
      let result = try pending.value()
      let token = result.stdout.trimmingCharacters(in: ["\n"])
      // On a slow machine the time is up first, and that is said.
      #expect(
        result.status == 0
          && (desk.deployment.isValid(accessToken: token)
            || result.stderr.contains("may stop working")),
        "\(result.stderr)")
    }
  }

  @Test func `survives that another account signs out meanwhile`() throws {
    try Desk.withSession(.init(era: .c, users: ["alice", "bob"])) { desk in
      let waiting = try WaitingLogin(desk, ["--account", "bob"])
      let address = try waiting.address()
      #expect(try desk.run(["logout", desk.url, "--account", "alice"]).status == 0)
      let callback = try desk.deployment.callback(of: address, user: "bob")
      #expect(try Exchange.send("GET", callback).status == 200)
      waiting.expectEnd(0)
      try desk.token("--account", "bob")
    }
  }

  @Test func `ends soon after Ctrl-C although nobody says whose the token is, and is kept`() throws
  {
    try Desk.with { desk in
      desk.deployment.inject(.delay(milliseconds: 300_000), at: .account, times: 10)
      let login = try consent(desk)
      waitFor("the question") {
        desk.deployment.requests.count(method: "GET", path: "/api/v2/users/me") > 0
      }
      login.process.terminate(signal: SIGINT)
      #expect(login.process.waitForExit() == .signal(SIGINT), "\(login.output)")
      #expect(try desk.sessions().count == 1)
      desk.deployment.clearFaults()
      try desk.token()
    }
  }

  @Test func `survives that the keyring restarts while the person is in the browser`() throws {
    try Desk.withSession { desk in
      let waiting = try WaitingLogin(desk)
      let address = try waiting.address()
      desk.desktop.stopKeyring()
      try desk.desktop.restartKeyring()
      #expect(try Exchange.send("GET", desk.deployment.callback(of: address)).status == 200)
      waiting.expectEnd(0)
      try desk.token()
    }
  }

  @Test func `survives that the deployment is busy for a moment`() throws {
    try Desk.with { desk in
      desk.deployment.inject(.status(503), at: .exchange)
      try desk.login()
      try desk.token()
      #expect(desk.deployment.authorizationRequests == 1)
    }
  }

  @Test
  func `as another person than the session that ended is refused, with the way to do it right`()
    throws
  {
    try Desk.withSession(.init(era: .c, users: ["alice", "bob"])) { desk in
      try desk.login("--account", "bob", as: "bob")
      desk.deployment.revokeGrant(user: "alice")
      try desk.age()
      let result = try desk.run(["token", desk.url, "--account", "alice"])
      expectFailure(result, 1, saying: "coder-cred login \(desk.url) --account alice")
      // The one that has ended is no choice any more.
      try desk.token()
      try desk.login("--account", "alice", as: "bob", status: 77)
      try desk.token("--account", "bob")
    }
  }
}

@Suite(.blocking) struct `A rejected token` {
  private static let rejection = DeploymentSimulator.Fault.status(
    401, body: #"{"message":"dead"}"#, headers: ["Content-Type": "application/json"])

  @Test func `that was pasted is not called valid again`() throws {
    for command in [["api", "/api/v2/users/me", "--url"], ["status", "--check"]] {
      try Desk.with { desk in
        try desk.login(
          "--method", "token", input: desk.deployment.session(user: "alice") + "\n")
        try desk.token()
        desk.deployment.inject(Self.rejection, at: .account)
        #expect(try desk.run(command + [desk.url]).status == 1)
        #expect(try desk.run(["token", desk.url]).status == 1)
        #expect(try desk.run(["status", desk.url]).stdout.contains("ended"))
        // Not even after what usually clears things up.
        try desk.login(
          "--method", "token", input: desk.deployment.session(user: "alice") + "\n")
        try desk.token()
      }
    }
  }

  @Test func `that a forced refresh brought is refreshed once its moment is over`() throws {
    try Desk.withSession { desk in
      let first = try desk.eraseToken()
      let second = try desk.token()
      #expect(first != second)
      desk.deployment.inject(Self.rejection, at: .account)
      #expect(try desk.run(["api", "/api/v2/users/me", "--url", desk.url]).status == 1)
      #expect(desk.deployment.refreshes.count == 1)
      #expect(try desk.desktop.item().payload["stale"] != nil)
      try desk.forgetFailures()
      #expect(try desk.token() != second)
    }
  }

  @Test func `of a session is forgotten by a new sign-in, the throttle too`() throws {
    try Desk.withSession { desk in
      try desk.eraseToken()
      try desk.token()
      try desk.login()
      desk.deployment.clearLog()
      let third = try desk.eraseToken()
      #expect(try desk.token() != third)
      #expect(desk.deployment.refreshes.count == 1)
    }
  }
}

@Suite(.blocking) struct `refresh --due` {
  @Test func `lets no deployment wait for another that does not respond`() throws {
    try Desk.withSession { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      try desk.login(to: other.url)
      try desk.age()
      other.clearLog()
      desk.deployment.inject(.hold, at: .refresh)
      other.inject(.hold, at: .refresh)
      let pending = Background { try desk.run(["refresh", "--due"], timeoutSeconds: 60) }
      waitFor("both at once") { !other.refreshes.isEmpty && !desk.deployment.refreshes.isEmpty }
      other.releaseHeld()
      desk.deployment.releaseHeld()
      #expect(try pending.value().status == 0)
    }
  }
}
