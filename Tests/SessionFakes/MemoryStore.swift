package import Credentials
import SecretService
package import Sessions
import Testing

/// A keyring in memory, that can fail. What a test did not say that it expects is recorded as an
/// issue, and refused.
package final class MemoryStore: SessionStore {
  /// What only some of our work may ask of a keyring.
  package enum Operation {
    case list
    case remove
    case unlock
  }

  /// All sessions kept.
  package var sessions: [StoredSession] = []
  /// The registrations kept, by the URL of their deployment.
  package var registrations: [String: StoredRegistration] = [:]
  /// Every session written, in order.
  package private(set) var saved: [StoredSession] = []
  /// What the work under test may ask for besides reading and saving.
  package var expected: Set<Operation> = []
  /// Decides about a write of a session: nil lets it happen.
  package var refusal: (StoredSession) -> StoreError? = { _ in nil }
  /// Decides about everything else: nil lets it happen.
  package var failure: StoreError?

  /// Called before sessions are read, with how often they were read before: the place for what
  /// another process does meanwhile.
  package var willRead: (Int) -> Void = { _ in }
  private var reads = 0

  /// Makes an empty one.
  package init() {}

  /// The first session, for tests that need only one.
  package var session: StoredSession? {
    get { sessions.first }
    set {
      if !sessions.isEmpty { sessions.removeFirst() }
      if let newValue { sessions.insert(newValue, at: 0) }
    }
  }

  /// The registration at the benches' deployment.
  package var registration: StoredRegistration? {
    get { registrations[deployment.url] }
    set { registrations[deployment.url] = newValue }
  }

  package func sessions(
    of place: Deployment, account: String?
  ) throws(StoreError) -> [StoredSession] {
    try check()
    willRead(reads)
    reads += 1
    return sessions.filter {
      $0.deployment == place && AccountMatch.serves(account, with: $0.account)
    }
  }

  package func plainSessions(
    on server: Deployment, account: String?
  ) throws(StoreError) -> [StoredSession] {
    try check()
    return sessions.filter {
      $0.isPlain && !$0.deployment.path.isEmpty && $0.deployment.server == server
        && AccountMatch.serves(account, with: $0.account)
    }
  }

  package func entries(of place: Deployment?) throws(StoreError) -> [SessionEntry] {
    try check(.list)
    return sessions.filter { place == nil || $0.deployment == place }.map {
      SessionEntry(deployment: $0.deployment.url, account: $0.account, content: .session($0))
    }
  }

  package func deploymentsWithRegistration() throws(StoreError) -> [String] {
    try check(.list)
    return registrations.keys.sorted()
  }

  package func save(_ session: StoredSession) throws(StoreError) {
    try check()
    if let error = refusal(session) { throw error }
    sessions.removeAll { $0.identity == session.identity }
    sessions.insert(session, at: 0)
    saved.append(session)
  }

  package func removeSessions(of place: Deployment, account: String?) throws(StoreError) {
    try check(.remove)
    sessions.removeAll {
      $0.deployment == place && AccountMatch.isExact(account, $0.account)
    }
  }

  package func registration(of place: Deployment) throws(StoreError) -> StoredRegistration? {
    try check()
    return registrations[place.url]
  }

  package func save(_ registration: StoredRegistration) throws(StoreError) {
    try check()
    registrations[registration.deployment.url] = registration
  }

  package func removeRegistration(of place: Deployment) throws(StoreError) {
    try check()
    registrations[place.url] = nil
  }

  package func removeLostSessions(
    of place: Deployment, account: String?
  ) throws(StoreError) -> Int {
    try check(.remove)
    return 0
  }

  package func allowPrompts() {}

  package func unlock() throws(StoreError) { try check(.unlock) }

  package var isReadableOnDisk: Bool { false }

  private func check(_ operation: Operation? = nil) throws(StoreError) {
    if let failure { throw failure }
    guard let operation, !expected.contains(operation) else { return }
    Issue.record("the test did not expect the keyring to be asked to \(operation)")
    throw .keyring(.failed(reason: "unexpected call"))
  }
}
