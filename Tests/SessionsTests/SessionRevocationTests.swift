import Credentials
import HTTP
import OAuth
import SecretService
import Secrets
import Testing

@testable import Sessions

/// A keyring that lets nobody remove anything, as KeePassXC does when its question is declined.
private final class UnremovableStore: SessionStore {
  var session: StoredSession
  /// The session as it was when something was asked of the deployment.
  var sessionWhenAsked: StoredSession?

  init(_ session: StoredSession) { self.session = session }

  func sessions(of place: Deployment, account: String?) throws(StoreError) -> [StoredSession] {
    [session]
  }
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
