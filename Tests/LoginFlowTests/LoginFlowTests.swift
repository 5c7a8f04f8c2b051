import Credentials
import HTTP
import OAuth
import Secrets
import SessionFakes
import Sessions
import Testing

@testable import Login

@Suite struct LoginFlowTests {
  private let bench: LoginBench
  private static let wellKnown = [
    "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
  ]

  init() throws { bench = try LoginBench() }

  /// Foresees a new registration and a response of the browser with a code.
  private func expectSignIn(registers: Bool = true) {
    bench.expectDiscovery()
    if registers { bench.expectRegistration() }
    bench.prompt.queries.append("code=k1&state=STATE")
    bench.expectExchange()
    bench.expectUser()
  }

  @Test func `A first sign-in registers, exchanges the code, and keeps both items`() throws {
    expectSignIn()
    let session = try bench.run().get()
    #expect(bench.http.isFinished)
    #expect(session.account == "alice" && session.clientID == "c1")
    #expect(session.accessToken == "a1" && session.refreshToken == "r1")
    #expect(session.signedInAt == bench.clock.now && session.issuedAt == bench.clock.now)
    #expect(session.expiresAt == bench.clock.now + 3_600)
    #expect(bench.store.sessions == [session])
    #expect(bench.store.registration?.clientID == "c1")
    #expect(bench.http.bodies[2].contains("code=k1"))
    #expect(bench.prompt.events == [.started(deployment)] && bench.prompt.stops == 1)
  }

  @Test func `Where OAuth is missing, only who leaves the way open is asked for a token`() throws {
    for method in [LoginOptions.Method.oauth, .auto] {
      let bench = try LoginBench()
      bench.options.method = method
      for path in Self.wellKnown { bench.http.on("GET", path, 404) }
      guard method == .auto else {
        bench.expectBuildInformation()
        guard case .failure(.oauth(.notOffered)) = bench.run() else {
          Issue.record("a sign-in without OAuth")
          continue
        }
        continue
      }
      bench.prompt.tokens = ["t1"]
      bench.expectBuildInformation()
      bench.expectUser()
      #expect(try bench.run().get().method == .token)
      guard case .tokenInstead(.oauth(.notOffered), at: deployment) = bench.prompt.events.last
      else {
        Issue.record("the person was not told why")
        return
      }
    }
  }

  @Test func `A deployment that cannot respond now is not taken for one without OAuth`() {
    bench.options.method = .auto
    for path in Self.wellKnown { bench.http.on("GET", path, 503) }
    guard case .failure(.oauth(.unavailable(503, _, _))) = bench.run() else {
      Issue.record("another outcome")
      return
    }
  }

  @Test func `Who can be asked chooses, and who cannot goes by OAuth`() throws {
    bench.options.method = .auto
    bench.prompt.canAsk = true
    bench.prompt.preferredMethod = .token
    bench.prompt.tokens = ["t1"]
    bench.expectDiscovery()
    bench.expectBuildInformation()
    bench.expectUser()
    #expect(try bench.run().get().method == .token)
    // The same, without anyone to ask.
    let other = try LoginBench()
    other.options.method = .auto
    other.expectDiscovery()
    other.expectRegistration()
    other.prompt.queries = ["code=k1&state=STATE"]
    other.expectExchange()
    other.expectUser()
    #expect(try other.run().get().method == .oauth)
  }

  @Test func `Where nobody may register, a token is the way for who can paste one`() throws {
    for canAsk in [true, false] {
      let bench = try LoginBench()
      bench.options.method = .auto
      bench.prompt.canAsk = canAsk
      bench.prompt.tokens = ["t1"]
      bench.expectDiscovery(registers: false)
      if canAsk {
        bench.expectBuildInformation()
        bench.expectUser()
      }
      let outcome = bench.run().map(\.method)
      #expect(
        outcome
          == (canAsk ? .success(.token) : .failure(.oauth(.registrationDisabled(reason: nil)))))
    }
  }

  @Test func `A refusal in the browser ends the sign-in, and takes the new registration back`() {
    bench.expectDiscovery()
    bench.expectRegistration()
    bench.prompt.queries = ["error=access_denied&state=STATE"]
    bench.http.on("DELETE", "/oauth2/clients/c1", 204)
    #expect(bench.run() == .failure(.declined(reason: nil, signedIn: [])))
    #expect(bench.http.isFinished)
    #expect(bench.store.sessions.isEmpty && bench.store.registration == nil)
  }

  @Test func `A known registration is used as it is, and stays when the sign-in fails`() {
    bench.options.redirect = .scheme
    bench.store.registration = bench.registration("c1")
    bench.expectDiscovery()
    bench.http.on("GET", "/oauth2/clients/c1", 200, json: LoginBench.registration("c1"))
    bench.prompt.queries = ["error=access_denied&state=STATE"]
    #expect(bench.run() == .failure(.declined(reason: nil, signedIn: [])))
    #expect(bench.http.isFinished && bench.store.registration == bench.registration("c1"))
  }

  @Test func `A registration that dies before the exchange is replaced once`() throws {
    bench.options.redirect = .scheme
    bench.store.registration = bench.registration("c1")
    bench.expectDiscovery()
    bench.http.on("GET", "/oauth2/clients/c1", 200, json: LoginBench.registration("c1"))
    bench.prompt.queries = ["code=k1&state=STATE", "code=k2&state=STATE"]
    for _ in 1...2 {
      bench.http.on("POST", "/oauth2/tokens", 401, json: #"{"error":"invalid_client"}"#)
    }
    bench.expectRegistration("c2")
    bench.expectExchange()
    bench.expectUser()
    bench.http.on("DELETE", "/oauth2/clients/c1", 204)
    #expect(try bench.run().get().clientID == "c2")
    #expect(bench.http.isFinished && bench.store.registration?.clientID == "c2")
    #expect(bench.prompt.events.contains(.registeringAgain(deployment)))
  }

  @Test func `A sign-in that another process completed is used, and nobody is asked`() throws {
    // Between the first look and the lock another process has saved a session.
    bench.store.willRead = { [bench] reads in
      if reads == 1 { bench.keep("alice") }
    }
    #expect(try bench.run().get().accessToken == "a0-alice")
    #expect(bench.http.requests.isEmpty && bench.prompt.pages.isEmpty)
  }

  @Test func `Who names a client is not asked for the method`() throws {
    bench.options.method = .auto
    bench.options.clientID = "c9"
    bench.prompt.canAsk = true
    bench.prompt.clientSecret = "s9"
    expectSignIn(registers: false)
    #expect(try bench.run().get().clientID == "c9")
  }

  @Test func `Who is signed in already is told, and who has ended is not`() {
    var ended = bench.keep("carol", .token)
    ended.staleSince = bench.clock.now
    bench.store.sessions = [ended]
    bench.keep("git", .basic)
    bench.keep("bob", .token)
    bench.keep("alice")
    for path in Self.wellKnown { bench.http.on("GET", path, 503) }
    _ = bench.run()
    #expect(bench.prompt.events.first == .alreadySignedIn(["alice", "bob"], at: deployment))
  }
}

/// What is asked of an address before a person is asked for a token.
@Suite struct DeploymentCheckTests {
  private let bench: LoginBench

  init() throws {
    bench = try LoginBench()
    bench.options.method = .token
  }

  @Test(arguments: [(404, "{}"), (200, "<html>"), (200, "{}"), (302, "")])
  func `Nobody is asked for a token where no deployment is`(status: Int, body: String) {
    bench.http.on("GET", "/api/v2/buildinfo", status, json: body)
    guard case .failure(.notDeployment(_, nil)) = bench.run() else {
      Issue.record("another outcome")
      return
    }
    #expect(bench.http.isFinished && bench.prompt.events.isEmpty)
  }

  @Test func `A deployment that cannot say what it is now is tried later`() {
    bench.http.on("GET", "/api/v2/buildinfo", 503, json: "{}")
    #expect(bench.run() == .failure(.noResponse(.unexpected(status: 503))))
  }

  @Test func `A token that is not taken may be given again, twice`() throws {
    bench.prompt.canAsk = true
    bench.prompt.tokens = ["bad1", "bad2", "t1"]
    bench.expectBuildInformation()
    for _ in 1...2 { bench.http.on("GET", "/api/v2/users/me", 401, json: "{}") }
    bench.expectUser()
    #expect(try bench.run().get().accessToken == "t1")
    #expect(
      bench.prompt.events
        == [
          .tokenRefused(.tokenRejected, at: deployment),
          .tokenRefused(.tokenRejected, at: deployment),
        ])

    let other = try LoginBench()
    other.options.method = .token
    other.prompt.canAsk = true
    other.prompt.tokens = ["bad1", "bad2", "bad3"]
    other.expectBuildInformation()
    for _ in 1...3 { other.http.on("GET", "/api/v2/users/me", 401, json: "{}") }
    #expect(other.run() == .failure(.tokenRejected))
  }
}
