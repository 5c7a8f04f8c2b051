import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `A refusal` {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A revoked grant ends the session with one message and no more requests`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.withSession(.init(era: era)) { desk in
      try desk.age()
      desk.deployment.revokeGrant()
      let first = try desk.run(["token", desk.url])
      #expect(first.status == 1)
      #expect(first.stderr.contains("no longer accepts the session"))
      #expect(!first.stderr.contains("interrupted"))
      #expect(first.stderr.contains("coder-cred login \(desk.url)"))
      #expect(desk.deployment.refreshes.count == 1)
      for _ in 0..<3 { #expect(try desk.run(["token", desk.url]).status == 1) }
      #expect(desk.deployment.requests.count == 1)
      try desk.login()
      try desk.token()
    }
  }

  @Test func `A client that the server forgot ends the session, and signing in makes another`()
    throws
  {
    try Desk.withSession { desk in
      try desk.age()
      desk.deployment.deleteClient()
      #expect(try desk.run(["token", desk.url]).status == 1)
      try desk.login()
      try desk.token()
    }
  }

  @Test(arguments: [
    DeploymentSimulator.Fault.oauthErrorIn200("bad_refresh_token"), .status(400),
    .status(403, body: #"{"error":"invalid_grant"}"#),
    .status(400, body: #"{"error":{"code":"invalid_grant","message":"expired"}}"#),
  ])
  func `A refusal in a form of its own keeps the session, and names the sign-in in the end`(
    _ fault: DeploymentSimulator.Fault
  ) throws {
    try Desk.withSession { desk in
      let signIn = "coder-cred login \(desk.url) --account alice"
      desk.deployment.inject(fault, at: .refresh, times: 100)
      // The access token lives: once may be a moment's trouble.
      let first = try desk.run(["refresh", desk.url])
      #expect([75, 76].contains(first.status) && !first.stderr.contains(signIn))
      let second = try desk.run(["refresh", desk.url])
      #expect([75, 76].contains(second.status) && second.stderr.contains(signIn))

      try desk.expire()
      try desk.forgetFailures()
      for _ in 1...3 {
        let dead = try desk.run(["token", desk.url])
        #expect([75, 76].contains(dead.status) && dead.stderr.contains(signIn), "\(dead.stderr)")
      }
      #expect(try desk.sessions().first?["refresh_token"] != nil)
      desk.deployment.clearFaults()
      try desk.forgetFailures()
      try desk.token()
    }
  }

  @Test func `Erasing forces one refresh in thirty seconds, however often git does it`() throws {
    try Desk.withSession { desk in
      let first = try desk.token()
      let start = ContinuousClock.now
      for _ in 0..<10 {
        let result = try desk.run(["get"], input: desk.request())
        let password = result.stdout.split(separator: "\n")
          .first { $0.hasPrefix("password=") }.map(String.init)
        try desk.run(["erase"], input: desk.request(try #require(password)))
      }
      let allowed = 1...1 + Self.halfMinutes(since: start)
      #expect(allowed.contains(desk.deployment.refreshes.count))
      let last = try desk.token()
      #expect(last != first)
    }
  }

  @Test func `A Bearer-only server and an old git: ten fetches force one refresh`() throws {
    try Desk.withSession { desk in
      let directory = desk.directory
      let start = ContinuousClock.now
      for _ in 0..<10 {
        // git 2.39 knows no authtype: its password is never sent, refused all the same, and erased.
        let result = try desk.desktop.run(
          "git",
          [
            "-c", "credential.helper=!\(desk.program)", "ls-remote",
            "\(desk.url)/api/v2/users/me/repo.git",
          ],
          environment: ["GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"],
          directory: directory)
        #expect(result.status != 0)
      }
      #expect(desk.deployment.refreshes.count <= 1 + Self.halfMinutes(since: start))
      try desk.token()
    }
  }

  /// How many times thirty seconds have passed, which is none but on a machine that is very busy.
  private static func halfMinutes(since start: ContinuousClock.Instant) -> Int {
    Int(start.duration(to: .now) / .seconds(30))
  }

  @Test func `A token that git was refused comes back once, and git gets a fresh one`() throws {
    try Desk.withSession { desk in
      let both = ["capability[]=authtype", "capability[]=state"]
      func ask(_ more: [String]) throws -> [String] {
        let result = try desk.run(
          ["get"], input: (["url=\(desk.url)"] + both + more).map { $0 + "\n" }.joined() + "\n")
        #expect(result.status == 0, "\(result.stderr)")
        return result.stdout.split(separator: "\n").map(String.init)
      }
      let first = try ask([])
      #expect(first.prefix(2) == both[...])
      #expect(first.contains("continue=1"))
      let state = try #require(first.first { $0.hasPrefix("state[]=coder-cred:") })
      desk.deployment.revokeAccessTokens()
      let second = try ask(["state[]=other:1", state])
      #expect(!second.contains("continue=1") && !second.contains { $0.hasPrefix("state[]") })
      let credential = try #require(second.first { $0.hasPrefix("credential=") })
      #expect(credential != first.first { $0.hasPrefix("credential=") })
      #expect(desk.deployment.isValid(accessToken: String(credential.dropFirst(11))))
      #expect(desk.deployment.refreshes.count == 1)
      // The same state once more, from a sibling that was refused with the old token: no refresh.
      let third = try ask([state])
      #expect(third.contains(credential))
      #expect(desk.deployment.refreshes.count == 1)
    }
  }

  @Test func `Without authtype there is no state to bring back`() throws {
    try Desk.withSession { desk in
      let result = try desk.run(["get"], input: desk.request("capability[]=state"))
      #expect(!result.stdout.contains("state") && !result.stdout.contains("continue"))
    }
  }
}
