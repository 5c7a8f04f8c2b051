package import Credentials
package import HTTP
package import OAuth
import Secrets
package import Sessions
import Testing

/// Where the fakes' session is; the tests of `Deployment` see to it that this is one.
package let deployment: Deployment = {
  guard let deployment = try? Deployment(url: "https://dev.coder.com") else {
    fatalError("not a deployment")
  }
  return deployment
}()

/// A token endpoint that answers as a test has it.
package struct FakeEndpoint: HTTPClient {
  let answer: (HTTPRequest) throws(HTTPError) -> HTTPResponse

  /// Gives the responses of a function.
  package init(_ answer: @escaping (HTTPRequest) throws(HTTPError) -> HTTPResponse) {
    self.answer = answer
  }

  package func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
    try answer(request)
  }

  /// A token response.
  package static func tokens(_ access: String, refresh: String? = "r2", expiresIn: Int = 3600)
    -> HTTPResponse
  {
    let rest = refresh.map { #","refresh_token":"\#($0)""# } ?? ""
    return HTTPResponse(
      status: 200,
      body: Array(
        #"{"access_token":"\#(access)","token_type":"Bearer","expires_in":\#(expiresIn)\#(rest)}"#
          .utf8))
  }

  /// A response in JSON.
  package static func json(_ status: Int, _ text: String) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: [HTTPField("Content-Type", "application/json")],
      body: Array(text.utf8))
  }

  /// The verdict on a refresh token or a code.
  package static let invalidGrant = HTTPResponse(
    status: 400, body: Array(#"{"error":"invalid_grant"}"#.utf8))
}

/// A lock that nobody else wants.
package struct FreeLock: SessionLock {
  private let coversKeyring: Bool

  /// Makes it; without `coversKeyring` it is one as behind a proxy that forbids bus names.
  package init(coversKeyring: Bool = true) {
    self.coversKeyring = coversKeyring
  }

  package func withLock<Value>(
    of session: SessionIdentity, timeoutMilliseconds: Int,
    orUse existing: () throws(SessionError) -> Value?,
    _ body: (HeldLock) throws(SessionError) -> Value
  ) throws(SessionError) -> Value {
    try body(HeldLock(coversKeyring: coversKeyring))
  }
}

/// Histories in memory.
package final class MemoryHistory: RefreshHistoryStore {
  private var histories: [SessionIdentity: RefreshHistory] = [:]
  /// How often a history was read.
  package private(set) var reads = 0

  /// Knows nothing yet.
  package init() {}

  package func history(of session: SessionIdentity) -> RefreshHistory {
    reads += 1
    return histories[session] ?? RefreshHistory()
  }

  package func save(_ history: RefreshHistory, of session: SessionIdentity) {
    histories[session] = history
  }
}

/// A clock that a test sets. Waiting moves it.
package final class FakeClock: SessionClock {
  package var now: Int64 = 1_000_000
  package var uptimeMilliseconds: Int64 = 50_000_000

  /// What happens while somebody waits.
  package var onSleep: (FakeClock) -> Void = { _ in }

  /// Starts at a fixed time.
  package init() {}

  package func sleep(milliseconds: Int) {
    uptimeMilliseconds += Int64(milliseconds)
    onSleep(self)
  }
}

/// One session of alice's on fakes: an hour's token of which ten minutes are left.
package final class Bench {
  package let store = MemoryStore()
  package let clock = FakeClock()
  package let history = MemoryHistory()
  /// How many requests were sent.
  package private(set) var requests = 0
  package private(set) var warnings: [SessionWarning] = []
  /// What the deployment responds.
  package var respond: (HTTPRequest) throws(HTTPError) -> HTTPResponse = { _ throws(HTTPError) in
    Issue.record("nobody foresaw this request")
    throw .broken(reason: "unforeseen")
  }

  private let lock: any SessionLock

  /// Sets the bench up; any request is an issue until the test says what comes of it.
  package init(lock: any SessionLock = FreeLock()) {
    self.lock = lock
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

  /// A public client.
  package static func information(_ id: String) -> ClientRegistration {
    ClientRegistration(clientID: id, redirectURIs: [], tokenEndpointAuthMethod: .none)
  }

  /// The seams.
  package var services: SessionServices {
    SessionServices(
      store: store, lock: lock, history: history, clock: clock,
      policy: { place throws(OAuthError) in try EndpointPolicy(deployment: place.url) },
      client: { [self] _, _ in
        FakeEndpoint { [self] request throws(HTTPError) in
          requests += 1
          return try respond(request)
        }
      },
      warn: { [self] in warnings.append($0) }, trace: { _ in })
  }

  /// Which session it is.
  package var identity: SessionIdentity {
    SessionIdentity(deployment: deployment, account: "alice")
  }

  /// Asks for a token that lives so many seconds.
  package func valid(_ minimumSeconds: Int64 = 60, mayRefresh: Bool = true) throws -> StoredSession
  {
    let session = try #require(store.session)
    return try SessionRefresh(services: services).validSession(
      session, minimumSeconds: minimumSeconds, mayRefresh: mayRefresh)
  }

  /// The error that asking ends with.
  package func failure(_ minimumSeconds: Int64 = 60) -> SessionError? {
    do {
      _ = try valid(minimumSeconds)
    } catch {
      return error as? SessionError
    }
    return nil
  }

  /// What a person gets who asks for a refresh.
  package func refreshed() -> Result<StoredSession, SessionError> {
    guard let session = store.session else {
      Issue.record("there is no session")
      return .failure(.signInNeeded(identity, .removed))
    }
    return Result { () throws(SessionError) in
      try SessionRefresh(services: services).refresh(session, because: .command)
    }
  }
}
