import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Which way is taken to sign in.
@Suite(.blocking) struct `Choosing the method` {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `OAuth is taken where the deployment has it`(era: DeploymentSimulator.Era) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      let said = try desk.login("--method", era == .a ? "oauth" : "auto").stderr
      #expect(said.hasPrefix("Signing in to \(desk.url) …\n"))
      #expect(said.contains("\nSigned in to \(desk.url) as alice.\n"))
      let session = try #require(try desk.sessions().first)
      #expect(session["method"] == "oauth" && session.account == "alice")
      try desk.token()
      #expect(
        desk.deployment.registrationRequests == 1 && desk.deployment.authorizationRequests == 1)
      // The deployment decides what the token may do, unless somebody asks for less.
      let asked = desk.deployment.requests.first { $0.path == "/oauth2/authorize" }
      #expect(asked?.queryNames.contains("scope") == false)
      #expect(asked?.queryNames.contains("resource") == false)
    }
  }

  @Test func `A scope is asked for, kept and shown`() throws {
    try Desk.with { desk in
      let said = try desk.login("--scope", "user:read_personal workspace:read").stderr
      #expect(said.contains("It granted: user:read_personal workspace:read\n"))
      #expect(
        try desk.sessions().first?["scope"] == "user:read_personal workspace:read")
    }
  }

  enum Absence: String, CaseIterable {
    case experimentOff, providerOff, webPage, loginPage, incomplete, notJSON
  }

  @Test(arguments: Absence.allCases)
  func `A token is taken where OAuth is not there or cannot be used`(absence: Absence) throws {
    try Desk.with(.unlocked, .init(era: absence == .experimentOff ? .b : .c)) { desk in
      switch absence {
      case .experimentOff, .providerOff: desk.deployment.setProvider(enabled: false)
      case .webPage: desk.deployment.change { $0.oauthAbsent = true }
      case .loginPage:
        desk.deployment.inject(
          .redirect(to: "/login?redirect=x"), at: "GET /.well-known/*", times: 9)
      case .incomplete:
        let patch = #"{"code_challenge_methods_supported":["plain"]}"#
        desk.deployment.inject(.mergePatch(patch), at: .metadata, times: 9)
      case .notJSON: desk.deployment.inject(.truncatedJSON, at: .metadata, times: 9)
      }
      let token = desk.deployment.session(user: "alice")
      let said = try desk.login(input: token + "\n").stderr
      #expect(said.contains("A session token will do instead."))
      #expect(try desk.sessions().first?["method"] == "token")
      #expect(try desk.token() == token)
      // Without one, the reason is what the person needs to know.
      #expect(try desk.login(status: 76).stderr.contains("error: \(desk.url): "))
      // Asked for by name, OAuth is an error that names the other way out.
      let named = try desk.login("--method", "oauth", status: 76)
      if absence != .incomplete && absence != .notJSON {
        #expect(named.message("hint")?.contains("--method token") == true)
      }
      #expect(desk.deployment.registrationRequests == 0)
    }
  }

  @Test func `A deployment that cannot say now is tried later`() throws {
    try Desk.with { desk in
      for status in [429, 500, 503] {
        desk.deployment.inject(.status(status), at: "GET /.well-known/*", times: 2)
        try desk.login(input: "no token is read\n", status: 75)
      }
      #expect(try desk.sessions().isEmpty)
    }
  }

  @Test func `A token is verified before it is kept`() throws {
    try Desk.with { desk in
      try desk.login(
        "--method", "token", input: "abcdefghij-\(desk.canary.word)0123456789\n", status: 77)
      try desk.login("--method", "token", input: "\n", status: 65)
      try desk.login("--method", "token", status: 65)
      desk.deployment.inject(.status(503), at: .account)
      let token = desk.deployment.session(user: "alice")
      try desk.login("--method", "token", input: token, status: 75)
      try desk.login("--method", "token", "--account", "bob", input: token, status: 77)
      #expect(try desk.sessions().isEmpty)
      // Blanks that a copy takes along do no harm.
      try desk.login("--method", "token", "--account", "alice", input: "  \(token) \r\n")
      #expect(try desk.token() == token)
    }
  }

  @Test func `Choosing a token ends the OAuth session here and at the server`() throws {
    try Desk.with { desk in
      try desk.login()
      let old = try #require(try desk.sessions().first?["refresh_token"])
      let token = desk.deployment.session(user: "alice")
      try desk.login("--method", "token", input: token + "\n")
      #expect(!desk.deployment.isValid(refreshToken: old) && desk.deployment.liveTokenPairs == 0)
      #expect(try desk.sessions().count == 1)
      #expect(try desk.token() == token)
      // And back: the registration was kept.
      try desk.login()
      #expect(try desk.sessions().first?["method"] == "oauth")
      #expect(desk.deployment.registrationRequests == 1)
    }
  }

  @Test func `A token that another one of the same person replaces costs no session of others`()
    throws
  {
    try Desk.with { desk in
      try desk.login(browser: ["--user", "bob"])
      let token = desk.deployment.session(user: "alice")
      try desk.login("--method", "token", input: token + "\n")
      #expect(try desk.sessions().map(\.account) == ["alice", "bob"])
      try desk.token("--account", "bob", "--min-ttl", "31536000")
    }
  }

  @Test func `The token of the session at hand costs it nothing`() throws {
    try Desk.with { desk in
      try desk.login()
      let before = try desk.sessions()
      try desk.login("--method", "token", input: desk.token() + "\n")
      #expect(try desk.sessions() == before)
      try desk.token("--min-ttl", "31536000")
    }
  }

  @Test(arguments: [["--deny"], ["--user", "bob"]])
  func `Signing in again without success keeps the session there was`(flags: [String]) throws {
    try Desk.with { desk in
      try desk.login()
      let before = try desk.sessions()
      try desk.login("--account", "alice", browser: flags, status: 77)
      #expect(try desk.sessions().map(\.secret) == before.map(\.secret))
      try desk.token("--min-ttl", "31536000")
    }
  }

  @Test func `Signing in again leaves one live grant`() throws {
    try Desk.with { desk in
      try desk.login()
      try desk.login()
      #expect(try desk.sessions().count == 1 && desk.deployment.liveTokenPairs == 1)
      try desk.token("--min-ttl", "31536000")
      #expect(desk.deployment.registrationRequests == 1)
    }
  }
}
