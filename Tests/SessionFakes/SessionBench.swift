import Credentials
import Foundation
import HTTP
import OAuth
import Secrets
import Testing

@testable import Sessions

/// Where the fakes' session is; the tests of `Deployment` see to it that this is one.
let deployment: Deployment = {
  guard let deployment = try? Deployment(url: "https://dev.coder.com") else {
    fatalError("not a deployment")
  }
  return deployment
}()

/// A keyring in memory, that can fail.
final class MemoryStore: SessionStore {
  var session: StoredSession?
  var registration: StoredRegistration?
  /// Every session written, in order.
  private(set) var saved: [StoredSession] = []
  /// Decides about a write: nil lets it happen.
  var refusal: (StoredSession) -> StoreError? = { _ in nil }

  func sessions(of place: Deployment, account: String?) throws(StoreError) -> [StoredSession] {
    [session].compactMap(\.self).filter { $0.deployment == place }
  }

  func entries(of place: Deployment?) throws(StoreError) -> [SessionEntry] {
    Issue.record("nobody asked for a list")
    throw .failed("unexpected call")
  }

  func deploymentsWithRegistration() throws(StoreError) -> [String] {
    Issue.record("nobody asked for registrations")
    throw .failed("unexpected call")
  }

  func save(_ session: StoredSession) throws(StoreError) {
    if let error = refusal(session) { throw error }
    self.session = session
    saved.append(session)
  }

  func removeSessions(of place: Deployment, account: String?) throws(StoreError) {
    Issue.record("a refresh removes nothing")
    throw .failed("unexpected call")
  }

  func registration(of place: Deployment) throws(StoreError) -> StoredRegistration? {
    registration
  }
  func save(_ registration: StoredRegistration) throws(StoreError) {
    self.registration = registration
  }
  func removeRegistration(of place: Deployment) throws(StoreError) { registration = nil }

  func unlock(timeoutSeconds: Int) throws(StoreError) {
    Issue.record("a refresh never asks to unlock")
    throw .failed("unexpected call")
  }
}

/// A token endpoint that answers as a test has it.
struct FakeEndpoint: HTTPClient {
  let answer: (HTTPRequest) throws(HTTPError) -> HTTPResponse

  func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse { try answer(request) }

  static func tokens(_ access: String, refresh: String? = "r2", expiresIn: Int = 3600)
    -> HTTPResponse
  {
    let rest = refresh.map { #","refresh_token":"\#($0)""# } ?? ""
    return HTTPResponse(
      status: 200,
      body: Array(
        #"{"access_token":"\#(access)","token_type":"Bearer","expires_in":\#(expiresIn)\#(rest)}"#
          .utf8))
  }

  static let invalidGrant = HTTPResponse(
    status: 400, body: Array(#"{"error":"invalid_grant"}"#.utf8))
}

/// A lock that nobody else wants.
struct FreeLock: SessionLock {
  func withLock<Value>(
    of session: SessionIdentity, timeoutMilliseconds: Int,
    orUse existing: () throws(SessionError) -> Value?,
    _ body: () throws(SessionError) -> Value
  ) throws(SessionError) -> Value {
    try body()
  }
}

/// Histories in memory.
final class MemoryHistory: RefreshHistoryStore {
  private var histories: [SessionIdentity: RefreshHistory] = [:]
  private(set) var reads = 0

  func history(of session: SessionIdentity) -> RefreshHistory {
    reads += 1
    return histories[session] ?? RefreshHistory()
  }

  func save(_ history: RefreshHistory, of session: SessionIdentity) {
    histories[session] = history
  }
}

/// A clock that a test sets. Waiting moves it.
final class FakeClock: SessionClock {
  var now: Int64 = 1_000_000
  var uptimeMilliseconds: Int64 = 50_000_000

  func sleep(milliseconds: Int) { uptimeMilliseconds += Int64(milliseconds) }
}

/// Sessions on fakes.
final class Bench {
  let store = MemoryStore()
  let clock = FakeClock()
  let history = MemoryHistory()
  private(set) var requests = 0
  private(set) var warnings: [SessionWarning] = []
  var respond: (HTTPRequest) throws(HTTPError) -> HTTPResponse = { _ throws(HTTPError) in
    Issue.record("nobody foresaw this request")
    throw .broken(reason: "unforeseen")
  }

  init() {
    var session = StoredSession(
      deployment: deployment, account: "alice", method: .oauth, accessToken: "a1")
    session.refreshToken = "r1"
    session.clientID = "c"
    session.issuedAt = clock.now - 3_000
    session.expiresAt = clock.now + 600
    store.session = session
    store.registration = StoredRegistration(
      deployment: deployment, information: Self.information("c"), issuer: deployment.url,
      tokenEndpoint: "\(deployment.url)/oauth2/tokens", revocationEndpoint: nil)
  }

  static func information(_ id: String) -> ClientRegistration {
    ClientRegistration(clientID: id, redirectURIs: [], tokenEndpointAuthMethod: .none)
  }

  var services: SessionServices {
    SessionServices(
      store: store, lock: FreeLock(), history: history, clock: clock,
      client: { [self] _, _ in
        FakeEndpoint { [self] request throws(HTTPError) in
          requests += 1
          return try respond(request)
        }
      },
      warn: { [self] in warnings.append($0) }, trace: { _ in })
  }

  var identity: SessionIdentity { SessionIdentity(deployment: deployment, account: "alice") }

  /// Asks for a token that lives so many seconds.
  func valid(_ minimumSeconds: Int64 = 60, mayRefresh: Bool = true) throws -> StoredSession {
    let session = try #require(store.session)
    return try SessionRefresh(services: services).validSession(
      session, minimumSeconds: minimumSeconds, mayRefresh: mayRefresh)
  }

  /// The error that asking ends with.
  func failure(_ minimumSeconds: Int64 = 60) -> SessionError? {
    do {
      _ = try valid(minimumSeconds)
    } catch {
      return error as? SessionError
    }
    return nil
  }
}
