import Credentials
import HTTP
import OAuth
import SecretService
import Secrets
import SessionFakes
import Sessions
import Testing

@Suite struct SessionRevocationTests {
  private static let revoke = "/oauth2/revoke"
  private static let client = "/oauth2/clients/c"
  private static let logout = "/api/v2/users/logout"

  private let bench = Bench()
  private let http = ScriptedClient()
  private var store: MemoryStore { bench.store }

  /// Alice's session, and a registration that this machine made.
  init() {
    let http = http
    bench.respond = { request throws(HTTPError) in try http.send(request) }
    bench.store.expected = [.list, .remove]
    bench.store.registration?.revocationEndpoint = deployment.url + Self.revoke
    bench.store.registration?.information = ClientRegistration(
      clientID: "c", registrationAccessToken: "rat",
      registrationClientURI: deployment.url + Self.client, redirectURIs: [],
      tokenEndpointAuthMethod: .none)
  }

  private func revocation(
    keepsRegistration: Bool = false, revokesForeignTokens: Bool = false
  ) -> SessionRevocation {
    SessionRevocation(
      services: bench.services, deployment: deployment, keepsRegistration: keepsRegistration,
      revokesForeignTokens: revokesForeignTokens)
  }

  private func end(
    keepsRegistration: Bool = false, revokesForeignTokens: Bool = false
  ) throws -> [UnrevokedItem] {
    try revocation(
      keepsRegistration: keepsRegistration, revokesForeignTokens: revokesForeignTokens
    ).end(try #require(store.session))
  }

  /// Foresees the two revocations of an OAuth session's tokens.
  private func expectRevocations() {
    http.on("POST", Self.revoke, 200)
    http.on("POST", Self.revoke, 200)
  }

  private func expectAllGone() {
    #expect(http.isFinished)
    #expect(store.sessions.isEmpty && store.registration == nil)
  }

  @Test func `Both tokens are revoked, and the registration that nobody needs is deleted`() throws {
    expectRevocations()
    http.on("DELETE", Self.client, 204)
    #expect(try end().isEmpty)
    expectAllGone()
    #expect(http.bodies[0].contains("r1") && http.bodies[1].contains("a1"))
  }

  @Test func `The registration stays for another account, and for whoever wants to keep it`() throws
  {
    for keepsRegistration in [true, false] {
      let other = Self()
      if !keepsRegistration {
        other.store.sessions.append(
          StoredSession(deployment: deployment, account: "bob", method: .oauth, accessToken: "b"))
      }
      other.expectRevocations()
      #expect(try other.end(keepsRegistration: keepsRegistration).isEmpty)
      #expect(other.http.isFinished && other.store.registration != nil)
      #expect(other.store.sessions.map(\.account) == (keepsRegistration ? [] : ["bob"]))
    }
  }

  @Test func `A password of another account keeps no registration`() throws {
    store.sessions.append(
      StoredSession(deployment: deployment, account: "bob", method: .basic, accessToken: "b"))
    expectRevocations()
    http.on("DELETE", Self.client, 204)
    #expect(try end().isEmpty)
    #expect(store.registration == nil && store.sessions.map(\.account) == ["bob"])
  }

  @Test func `A client that an administrator made is forgotten here, and deleted nowhere`() throws {
    store.registration?.information = Bench.information("c")
    expectRevocations()
    #expect(try end().isEmpty)
    expectAllGone()
  }

  @Test func `Without a connection everything is removed here, and what stays is told`() throws {
    http.on("POST", Self.revoke, .failure(.unreachable(reason: "x")))
    let reason = UnrevokedItem.Reason.oauth(.transport(.unreachable(reason: "x")))
    // The same server would not respond to another request either.
    #expect(
      try end() == [
        UnrevokedItem(.tokens, reason), UnrevokedItem(.registration(clientID: "c"), reason),
      ])
    expectAllGone()
  }

  @Test func `Where OAuth is switched off, the deployment's own sign-out ends the grant`() throws {
    http.on("POST", Self.revoke, 404)
    http.on("POST", Self.logout, 200)
    http.on("DELETE", Self.client, 404)
    let unrevoked = try end()
    #expect(unrevoked.map(\.subject) == [.registration(clientID: "c")])
    expectAllGone()
  }

  @Test(
    arguments: [
      (401, .accessTokenDead), (404, .unsupported(status: 404)), (503, .unexpected(status: 503)),
    ] as [(Int, UnrevokedItem.Reason)])
  func `What the sign-out cannot do is told`(status: Int, reason: UnrevokedItem.Reason) throws {
    store.registration?.revocationEndpoint = nil
    http.on("POST", Self.logout, status)
    #expect(try end(keepsRegistration: true) == [UnrevokedItem(.tokens, reason)])
    #expect(store.sessions.isEmpty)
  }

  @Test func `A dead token without a refresh token leaves nothing to revoke`() throws {
    store.session?.refreshToken = nil
    store.registration?.revocationEndpoint = nil
    http.on("POST", Self.logout, 401)
    #expect(try end(keepsRegistration: true).isEmpty)
  }

  @Test func `With the registration gone, its tokens are gone, too`() throws {
    http.on("POST", Self.revoke, 404)
    http.on("POST", Self.logout, 503)
    http.on("DELETE", Self.client, 204)
    #expect(try end().isEmpty)
    expectAllGone()
  }

  @Test(arguments: [(401, #"{"error":"invalid_token"}"#), (410, "{}")])
  func `A registration that the server no longer knows is as good as deleted`(
    _ status: Int, _ body: String
  ) throws {
    expectRevocations()
    http.on("DELETE", Self.client, status, json: body)
    #expect(try end().isEmpty)
    expectAllGone()
  }

  @Test func `Tokens of another registration are ended by the sign-out`() throws {
    store.session?.clientID = "other"
    http.on("POST", Self.logout, 200)
    #expect(try end(keepsRegistration: true).isEmpty)
    #expect(http.isFinished)
  }

  @Test func `A token that was made elsewhere is revoked only for whoever asks for it`() throws {
    for revokesForeignTokens in [false, true] {
      let other = Self()
      other.store.session?.method = .token
      if revokesForeignTokens { other.http.on("POST", Self.logout, 200) }
      #expect(
        try other.end(
          keepsRegistration: true, revokesForeignTokens: revokesForeignTokens
        ).isEmpty)
      #expect(other.http.isFinished && other.store.sessions.isEmpty)
    }
  }

  @Test func `What was removed meanwhile is not ended again`() throws {
    let session = try #require(store.session)
    store.sessions = []
    #expect(try revocation().end(session).isEmpty)
    #expect(http.requests.isEmpty && store.registration != nil)
  }

  @Test func `Whoever is stopped after the revocation leaves a session that is not handed out`()
    throws
  {
    let http = http
    let store = store
    bench.respond = { request throws(HTTPError) in
      #expect(store.session?.refreshingSince != nil)
      return try http.send(request)
    }
    expectRevocations()
    #expect(try end(keepsRegistration: true).isEmpty)
  }

  @Test func `A keyring that takes no mark keeps the tokens from being revoked`() throws {
    let session = try #require(store.session)
    store.refusal = { _ in .keyring(.timedOut) }
    #expect(throws: SessionError.store(.keyring(.timedOut))) { _ = try end() }
    #expect(http.requests.isEmpty && store.sessions == [session])
  }

  @Test func `A keyring that fails loses nothing`() throws {
    let session = try #require(store.session)
    store.failure = .locked
    #expect(throws: SessionError.store(.locked)) { _ = try revocation().end(session) }
    #expect(http.requests.isEmpty && store.sessions == [session])
  }

  @Test func `A registration alone is ended when no session uses it`() throws {
    #expect(try revocation().endLeftOverRegistration().isEmpty)
    #expect(store.registration != nil)
    store.sessions = []
    #expect(try revocation(keepsRegistration: true).endLeftOverRegistration().isEmpty)
    #expect(store.registration != nil)
    http.on("DELETE", Self.client, 204)
    #expect(try revocation().endLeftOverRegistration().isEmpty)
    expectAllGone()
    #expect(try revocation().endLeftOverRegistration().isEmpty)
  }
}

/// A keyring that lets nobody remove anything, as KeePassXC does when its question is declined.
private final class UnremovableStore: SessionStore {
  var session: StoredSession
  /// The session as it was when something was asked of the deployment.
  var sessionWhenAsked: StoredSession?

  init(_ session: StoredSession) { self.session = session }

  func sessions(of place: Deployment, account: String?) throws(StoreError) -> [StoredSession] {
    [session]
  }
  func plainSessions(
    on server: Deployment, account: String?
  ) throws(StoreError) -> [StoredSession] { [] }
  func entries(of place: Deployment?) throws(StoreError) -> [SessionEntry] {
    [SessionEntry(deployment: place?.url ?? "", account: "alice", content: .session(session))]
  }
  func deploymentsWithRegistration() throws(StoreError) -> [String] { [] }
  func save(_ session: StoredSession) throws(StoreError) { self.session = session }
  func removeSessions(of place: Deployment, account: String?) throws(StoreError) {
    throw .keyring(.dismissed)
  }
  func registration(of place: Deployment) throws(StoreError) -> StoredRegistration? { nil }
  func save(_ registration: StoredRegistration) throws(StoreError) {}
  func removeRegistration(of place: Deployment) throws(StoreError) {}
  func removeLostSessions(of place: Deployment, account: String?) throws(StoreError) -> Int { 0 }
  func allowPrompts() {}
  func unlock() throws(StoreError) {}
  var isReadableOnDisk: Bool { false }
}

@Suite struct `Signing out` {
  @Test func `What cannot be removed is marked before it is revoked, and ended after`() throws {
    var session = StoredSession(
      deployment: deployment, account: "alice", method: .oauth, accessToken: "a1")
    session.refreshToken = "r1"
    let store = UnremovableStore(session)
    let services = SessionServices(
      store: store, lock: FreeLock(), history: MemoryHistory(), clock: FakeClock(),
      policy: { place throws(OAuthError) in try EndpointPolicy(deployment: place.url) },
      client: { _, _ in
        FakeEndpoint { _ throws(HTTPError) in
          store.sessionWhenAsked = store.session
          return HTTPResponse(status: 200, body: [])
        }
      }, warn: { _ in }, trace: { _ in })
    let revocation = SessionRevocation(
      services: services, deployment: deployment, keepsRegistration: false,
      revokesForeignTokens: false)
    #expect(throws: SessionError.store(.keyring(.dismissed))) { try revocation.end(session) }
    let asked = try #require(store.sessionWhenAsked)
    #expect(!asked.isAlive(now: FakeClock().now))
    #expect(!store.session.isAlive(now: FakeClock().now) && store.session.refreshToken == nil)
  }
}
