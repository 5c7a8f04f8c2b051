import Credentials
import Foundation
import HTTP
import OAuth
import Secrets
import Testing

@testable import coder_cred_engine

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
  var client: StoredRegistration?
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

  func deploymentsWithClient() throws(StoreError) -> [String] {
    Issue.record("nobody asked for clients")
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

  func client(of place: Deployment) throws(StoreError) -> StoredRegistration? { client }
  func save(_ client: StoredRegistration) throws(StoreError) { self.client = client }
  func removeClient(of place: Deployment) throws(StoreError) { client = nil }

  func unlock(within seconds: Int) throws(StoreError) {
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

/// An context on fakes, with a runtime directory of its own.
final class Bench {
  let store = MemoryStore()
  var now: Int64 = 1_000_000
  private(set) var requests = 0
  var answer: (HTTPRequest) throws(HTTPError) -> HTTPResponse = { _ throws(HTTPError) in
    Issue.record("nobody foresaw this request")
    throw .broken(reason: "unforeseen")
  }
  let directory: String

  init() throws {
    directory = NSTemporaryDirectory() + "bench-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    var session = StoredSession(
      deployment: deployment, account: "alice", method: .oauth, accessToken: "a1")
    session.refreshToken = "r1"
    session.clientID = "c"
    session.issuedAt = now - 3_000
    session.expiresAt = now + 600
    store.session = session
    store.client = StoredRegistration(
      deployment: deployment,
      registration: Self.registration("c"),
      issuer: deployment.url, tokenEndpoint: "\(deployment.url)/oauth2/tokens")
  }

  static func registration(_ id: String) -> ClientRegistration {
    ClientRegistration(clientID: id, redirectURIs: [], tokenEndpointAuthMethod: .none)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  var context: CommandContext {
    CommandContext(
      environment: Environment(["XDG_RUNTIME_DIR": directory, "HOME": directory]),
      now: { [self] in now },
      store: { [self] _ throws(StoreError) in store },
      client: { [self] _ in
        FakeEndpoint { [self] request throws(HTTPError) in
          requests += 1
          return try answer(request)
        }
      })
  }

  /// Asks for a token that lives so many seconds.
  func live(_ minimumSeconds: Int64 = 60) throws -> StoredSession {
    let session = try #require(store.session)
    return try Refresher(context: context).live(
      session, minimumSeconds: minimumSeconds, mayRefresh: true)
  }

  /// The failure that asking ends with.
  func failure(_ minimumSeconds: Int64 = 60) -> Failure? {
    do {
      _ = try live(minimumSeconds)
    } catch {
      return error as? Failure
    }
    return nil
  }
}
