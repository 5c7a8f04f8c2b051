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
        guard case .failure(.oauth(.notOffered)) = bench.run() else {
          Issue.record("a sign-in without OAuth")
          continue
        }
        continue
      }
      bench.prompt.token = "t1"
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
    bench.prompt.prefersTokenAnswer = true
    bench.prompt.token = "t1"
    bench.expectDiscovery()
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
      bench.prompt.token = "t1"
      bench.expectDiscovery(registers: false)
      if canAsk { bench.expectUser() }
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
    #expect(bench.run() == .failure(.oauth(.denied(reason: nil))))
    #expect(bench.http.isFinished)
    #expect(bench.store.sessions.isEmpty && bench.store.registration == nil)
  }

  @Test func `A known registration is used as it is, and stays when the sign-in fails`() {
    bench.options.redirect = .scheme
    bench.store.registration = bench.registration("c1")
    bench.expectDiscovery()
    bench.http.on("GET", "/oauth2/clients/c1", 200, json: LoginBench.registration("c1"))
    bench.prompt.queries = ["error=access_denied&state=STATE"]
    #expect(bench.run() == .failure(.oauth(.denied(reason: nil))))
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
}
