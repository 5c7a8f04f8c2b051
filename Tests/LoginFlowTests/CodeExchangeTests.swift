import Credentials
import HTTP
import OAuth
import SecretService
import Secrets
import SessionFakes
import Sessions
import Testing

@testable import Login

/// What becomes of a code, and of the sessions that were there before.
@Suite struct CodeExchangeTests {
  private let bench: LoginBench

  init() throws {
    bench = try LoginBench()
    bench.options.redirect = .scheme
    bench.store.expected.insert(.remove)
  }

  /// Foresees everything up to the browser's response, with a new client.
  private func expectPage(_ id: String = "c1") {
    bench.expectDiscovery()
    bench.expectRegistration(id)
    bench.prompt.queries.append("code=k1&state=STATE")
  }

  @Test func `The same user's former session is revoked with the client that it belongs to`() throws
  {
    bench.store.registration = bench.registration("old")
    bench.keep("alice", client: "old")
    bench.expectDiscovery()
    bench.http.on("GET", "/oauth2/clients/old", 401, json: #"{"error":"invalid_token"}"#)
    // By either way of naming the client.
    for _ in 1...2 {
      bench.http.on("POST", "/oauth2/tokens", 401, json: #"{"error":"invalid_client"}"#)
    }
    bench.expectRegistration()
    bench.prompt.queries = ["code=k1&state=STATE"]
    bench.expectExchange()
    bench.expectUser()
    bench.expectRevocation()
    // Whether it is really gone is the server's business.
    bench.http.on("DELETE", "/oauth2/clients/old", 401)
    #expect(try bench.run().get().clientID == "c1")
    #expect(bench.http.isFinished && bench.store.sessions.count == 1)
    let revocation = try #require(bench.http.bodies.first { $0.contains("token_type_hint") })
    #expect(revocation.contains("r0-alice") && revocation.contains("client_id=old"))
  }

  @Test func `A session without a name makes room for the one with it, if it is the same person's`()
    throws
  {
    for owner in ["alice", "bob"] {
      let other = try Self()
      other.bench.keep("")
      other.expectPage()
      other.bench.expectExchange()
      other.bench.expectUser()
      other.bench.expectUser(owner)
      if owner == "alice" { other.bench.expectRevocation() } else { other.bench.expectUser(owner) }
      _ = try other.bench.run().get()
      #expect(other.bench.http.isFinished)
      #expect(
        other.bench.store.sessions.map(\.account).sorted()
          == (owner == "alice" ? ["alice"] : ["", "alice"]))
    }
  }

  @Test func `A former registration that nobody uses any more is deleted, after the save`() throws {
    bench.store.registration = bench.registration("old")
    bench.options.clientID = "made-by-hand"
    bench.prompt.clientSecret = "s"
    bench.expectDiscovery()
    bench.prompt.queries = ["code=k1&state=STATE"]
    bench.expectExchange()
    bench.expectUser()
    bench.http.on("DELETE", "/oauth2/clients/old", 204)
    #expect(try bench.run().get().clientID == "made-by-hand")
    #expect(bench.http.isFinished)
  }

  @Test func `A former registration that another account uses stays`() throws {
    bench.keep("bob", client: "old")
    bench.store.registration = bench.registration("old")
    bench.options.clientID = "made-by-hand"
    bench.prompt.clientSecret = "s"
    bench.expectDiscovery()
    bench.prompt.queries = ["code=k1&state=STATE"]
    bench.expectExchange()
    bench.expectUser()
    _ = try bench.run().get()
    #expect(bench.http.isFinished)
  }

  @Test func `Accounts that the new registration cannot refresh are named`() throws {
    bench.keep("bob", client: "old")
    bench.keep("carol", client: "c1")
    expectPage()
    bench.expectExchange()
    bench.expectUser()
    // The exchange has not ended carol's.
    bench.expectUser("carol")
    _ = try bench.run().get()
    #expect(bench.prompt.events.last == .mustSignInAgain(account: "bob"))
    #expect(bench.prompt.events.contains(.otherAccount("alice", beside: ["bob", "carol"])))
    #expect(bench.prompt.events.contains(.alreadySignedIn(["bob", "carol"], at: deployment)))
    #expect(bench.prompt.events.count == 4)
  }

  @Test func `A session under a former name of the user is settled, and no choice any more`() throws
  {
    bench.keep("formerly", client: "c1")
    expectPage()
    bench.expectExchange()
    bench.expectUser()
    // The exchange has ended it, and the refresh that finds out is the last one.
    bench.http.on("GET", "/api/v2/users/me", 401)
    bench.http.on("POST", "/oauth2/tokens", 400, json: #"{"error":"invalid_grant"}"#)
    let session = try bench.run().get()
    #expect(bench.http.isFinished)
    let former = try #require(bench.store.sessions.first { $0.account == "formerly" })
    #expect(former.refreshToken == nil && former.hasEnded(now: bench.clock.now + 86_400))
    #expect(try found() == session)
  }

  @Test func `A session without a name stands beside no other of the same person`() throws {
    bench.keep("alice", client: "c1")
    expectPage()
    bench.expectExchange()
    for _ in 1...3 {
      bench.http.on("GET", "/api/v2/users/me", .failure(.timedOut(reason: "x")))
    }
    bench.http.on("POST", "/oauth2/tokens", 400, json: #"{"error":"invalid_grant"}"#)
    let session = try bench.run().get()
    #expect(bench.http.isFinished && session.account == "")
    #expect(try found() == session)
  }

  /// What a request finds that names no account.
  private func found() throws -> StoredSession? {
    try SessionLookup(store: bench.store, clock: bench.clock)
      .session(for: CredentialRequest(deployment: deployment, username: nil))
  }

  @Test func `A deployment that does not say whose it is gives a session without a name`() throws {
    for status in [401, 403, 404] {
      let other = try Self()
      other.expectPage()
      other.bench.expectExchange()
      other.bench.http.on("GET", "/api/v2/users/me", status)
      #expect(try other.bench.run().get().account == "")
    }
  }

  @Test func `A deployment that does not respond is asked three times whose it is`() throws {
    expectPage()
    bench.expectExchange()
    bench.http.on("GET", "/api/v2/users/me", 503)
    bench.http.on("GET", "/api/v2/users/me", .failure(.timedOut(reason: "x")))
    bench.expectUser()
    #expect(try bench.run().get().account == "alice")
    #expect(bench.http.isFinished)
  }

  @Test func `The name asked for stands where the deployment tells none`() throws {
    bench.options.account = "alice"
    expectPage()
    bench.expectExchange()
    bench.http.on("GET", "/api/v2/users/me", 403)
    #expect(try bench.run().get().account == "alice")
  }

  @Test func `Another user's sign-in is refused, and its tokens are revoked`() {
    bench.options.account = "alice"
    expectPage()
    bench.expectExchange()
    bench.expectUser("bob")
    bench.expectRevocation()
    bench.http.on("DELETE", "/oauth2/clients/c1", 204)
    #expect(
      bench.run()
        == .failure(.wrongAccount(found: "bob", wanted: "alice", isOfBrowser: true)))
    #expect(bench.http.isFinished && bench.store.saved.isEmpty)
  }

  @Test func `But a session of theirs that the exchange has ended goes on with the new tokens`()
    throws
  {
    bench.options.account = "alice"
    bench.store.registration = bench.registration("c1")
    bench.keep("bob")
    bench.expectDiscovery()
    bench.http.on("GET", "/oauth2/clients/c1", 200, json: LoginBench.registration("c1"))
    bench.prompt.queries = ["code=k1&state=STATE"]
    bench.expectExchange()
    bench.expectUser("bob")
    #expect(
      bench.run()
        == .failure(.wrongAccount(found: "bob", wanted: "alice", isOfBrowser: true)))
    #expect(bench.http.isFinished)
    #expect(bench.store.sessions.map(\.refreshToken) == ["r1"])
  }

  @Test func `Tokens that the keyring does not take are revoked`() throws {
    bench.store.refusal = { _ in .locked }
    expectPage()
    bench.expectExchange()
    bench.expectUser()
    bench.expectRevocation()
    bench.http.on("DELETE", "/oauth2/clients/c1", 204)
    #expect(bench.run() == .failure(.session(.store(.locked))))
    #expect(bench.http.isFinished && bench.store.sessions.isEmpty)
  }

  /// Foresees everything up to the browser's response, with the client of alice's session.
  private func expectPageOfKnownClient() {
    bench.store.registration = bench.registration("c1")
    bench.keep("alice")
    bench.expectDiscovery()
    bench.http.on("GET", "/oauth2/clients/c1", 200, json: LoginBench.registration("c1"))
    bench.prompt.queries.append("code=k1&state=STATE")
  }

  @Test func `A session stays marked when a lost response may have ended it`() {
    expectPageOfKnownClient()
    bench.http.on("POST", "/oauth2/tokens", .failure(.timedOut(reason: "x")))
    bench.http.on("POST", "/oauth2/tokens", 400, json: #"{"error":"invalid_grant"}"#)
    guard case .failure(.oauth(.refused)) = bench.run() else {
      Issue.record("another outcome")
      return
    }
    #expect(bench.http.isFinished && bench.store.session?.refreshingSince != nil)
  }

  @Test func `Its mark goes when the server refuses the code at once`() {
    expectPageOfKnownClient()
    bench.http.on("POST", "/oauth2/tokens", 400, json: #"{"error":"invalid_grant"}"#)
    guard case .failure(.oauth(.refused)) = bench.run() else {
      Issue.record("another outcome")
      return
    }
    #expect(bench.http.isFinished && bench.store.session?.refreshingSince == nil)
  }

  @Test func `A session that cannot be marked is not ended`() {
    expectPageOfKnownClient()
    bench.store.refusal = { _ in .keyring(.timedOut) }
    #expect(bench.run() == .failure(.session(.store(.keyring(.timedOut)))))
    #expect(bench.http.isFinished)
  }

  @Test func `A code that the server refuses ends the sign-in, if it came with its state`() {
    expectPage()
    bench.http.on("POST", "/oauth2/tokens", 400, json: #"{"error":"invalid_grant"}"#)
    bench.http.on("DELETE", "/oauth2/clients/c1", 204)
    guard case .failure(.oauth(.refused(_, status: 400))) = bench.run() else {
      Issue.record("another outcome")
      return
    }
    #expect(bench.http.isFinished)
  }

  @Test func `A response without a refresh token gives a session that ends by itself`() throws {
    expectPage()
    bench.http.on(
      "POST", "/oauth2/tokens", 200,
      json: #"{"access_token":"a1","token_type":"Bearer","expires_in":60}"#)
    bench.expectUser()
    let session = try bench.run().get()
    #expect(session.refreshToken == nil && session.expiresAt == bench.clock.now + 60)
  }
}
