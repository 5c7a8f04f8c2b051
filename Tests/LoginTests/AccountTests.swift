import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Whose session it is.
@Suite(.blocking) struct `Accounts` {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `Two accounts live side by side, and a question that fits both means the last one`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      try desk.login(browser: ["--user", "alice"])
      try desk.login(browser: ["--user", "bob"])
      #expect(try desk.sessions().map(\.account) == ["alice", "bob"])
      #expect(desk.deployment.registrationRequests == 1)
      let alice = try desk.token("--account", "alice", "--min-ttl", "31536000")
      let bob = try desk.token("--account", "bob", "--min-ttl", "31536000")
      #expect(alice != bob)
      #expect(try desk.token() == bob)
      let asked = try desk.run(["get"], input: "url=\(desk.url)\nusername=bob\n\n")
      #expect(asked.stdout.contains("password=\(bob)"))
    }
  }

  @Test func `Somebody else in the browser is refused, and their tokens are revoked`() throws {
    try Desk.with { desk in
      let refused = try desk.login("--account", "alice", browser: ["--user", "bob"], status: 77)
      #expect(refused.message("error") == "the browser is signed in as bob, not alice")
      #expect(try desk.sessions().isEmpty && desk.deployment.liveTokenPairs == 0)
      try desk.login("--account", "alice", browser: ["--user", "alice"])
      #expect(try desk.sessions().map(\.account) == ["alice"])
    }
  }

  @Test func `Their own session, which the exchange replaced at the server, goes on`() throws {
    try Desk.with { desk in
      try desk.login(browser: ["--user", "bob"])
      try desk.login("--account", "alice", browser: ["--user", "bob"], status: 77)
      #expect(try desk.sessions().map(\.account) == ["bob"])
      try desk.token("--account", "bob", "--min-ttl", "31536000")
    }
  }

  @Test func `A sign-in that was refused does not change whom commands mean`() throws {
    try Desk.with { desk in
      try desk.login(as: "alice")
      try desk.login(as: "bob")
      let alice = try #require(try desk.sessions().first)
      try desk.desktop.change(
        alice, "signed_in_at", to: Int(Date().timeIntervalSince1970) - 60)
      #expect(try desk.run(["config", "unset", "account", "--url", desk.url]).status == 0)
      let refused = try desk.login("--account", "bob", browser: ["--user", "alice"], status: 77)
      #expect(refused.message("hint")?.contains("--account alice") == true)
      let bob = try desk.token("--account", "bob")
      #expect(try desk.token() == bob)
    }
  }

  @Test func `A deployment that does not tell the name does not fail the sign-in`() throws {
    try Desk.with { desk in
      let said = try desk.login("--scope", "workspace:read").stderr
      #expect(said.contains("It does not say who you are; --account NAME gives the session a name"))
      #expect(try desk.sessions().map(\.account) == [""])
      try desk.token()
      // With more to say later, it is the same person's session, and not one beside it.
      try desk.login()
      #expect(try desk.sessions().map(\.account) == ["alice"])
      try desk.token("--min-ttl", "31536000")
      try desk.login("--scope", "workspace:read", "--account", "alice")
      #expect(try desk.sessions().map(\.account) == ["alice"])
    }
  }

  @Test func `A token that is chosen ends the session without a name`() throws {
    try Desk.with { desk in
      try desk.login("--scope", "workspace:read")
      let token = desk.deployment.session(user: "alice")
      try desk.login("--method", "token", input: token + "\n")
      #expect(try desk.token() == token)
      #expect(try desk.sessions().count == 1 && desk.deployment.liveTokenPairs == 0)
    }
  }

  @Test(arguments: [500, 429])
  func `A deployment that stumbles when asked for the name is asked again`(status: Int) throws {
    try Desk.with { desk in
      desk.deployment.inject(.status(status), at: .account, times: 2)
      try desk.login()
      #expect(try desk.sessions().map(\.account) == ["alice"])
    }
  }

  @Test func `A name that could not be kept safely is none`() throws {
    try Desk.with { desk in
      desk.deployment.inject(.mergePatch(#"{"username":"al ice\nhost=evil"}"#), at: .account)
      try desk.login()
      #expect(try desk.sessions().map(\.account) == [""])
    }
  }

  @Test func `Tokens that cannot be used or kept are not left alive at the server`() throws {
    try Desk.with { desk in
      // The keyring goes away between the exchange and the saving.
      desk.deployment.inject(.hold, at: .account)
      let waiting = try WaitingLogin(desk)
      #expect(
        try Exchange.send("GET", desk.deployment.callback(of: waiting.address())).status == 200)
      waitFor("the question for the name") {
        desk.deployment.requests.contains { $0.path == "/api/v2/users/me" }
      }
      desk.desktop.stopKeyring()
      desk.deployment.releaseHeld()
      waiting.expectEnd(69)
      #expect(desk.deployment.liveTokenPairs == 0)
      try desk.desktop.restartKeyring()
      #expect(try desk.sessions().isEmpty)
    }
  }
}
