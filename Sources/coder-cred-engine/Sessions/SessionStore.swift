import Credentials

/// The seam between the program and the keyring.
protocol SessionStore {
  /// The sessions of exactly this deployment that a request for `account` may use: that account's
  /// own, and one whose account nobody knows. With nil, all.
  func sessions(of deployment: Deployment, account: String?) throws(StoreError) -> [StoredSession]
  /// Every session of exactly this deployment, or of all, readable or not, without unlocking
  /// anything.
  func entries(of deployment: Deployment?) throws(StoreError) -> [SessionEntry]
  /// The URLs of the deployments a client is kept for, unread; empty where a locked keyring tells
  /// no more.
  func deploymentsWithClient() throws(StoreError) -> [String]
  /// Keeps a session in place of the one of the same deployment and account.
  func save(_ session: StoredSession) throws(StoreError)
  /// Removes the sessions of exactly this deployment, of one account or of all, unread.
  func removeSessions(of deployment: Deployment, account: String?) throws(StoreError)
  /// The OAuth client registered with a deployment.
  func client(of deployment: Deployment) throws(StoreError) -> StoredRegistration?
  /// Keeps a client in place of the deployment's former one.
  func save(_ client: StoredRegistration) throws(StoreError)
  /// Forgets the client registered with a deployment.
  func removeClient(of deployment: Deployment) throws(StoreError)
  /// Makes sure that items can be written, asking the person to unlock for at most `seconds`.
  func unlock(within seconds: Int) throws(StoreError)
}

extension SessionStore {
  /// Every session, readable or not, without unlocking anything.
  func entries() throws(StoreError) -> [SessionEntry] { try entries(of: nil) }

  /// What is stored now for the deployment and account of a session seen earlier.
  func session(like session: StoredSession) throws(StoreError) -> StoredSession? {
    try sessions(of: session.deployment, account: session.account)
      .first { $0.account == session.account }
  }
}

/// One session as a list shows it.
struct SessionEntry {
  /// What is known of a session's content.
  enum Content {
    case session(StoredSession)
    case locked
    case unreadable(MalformedInput)
  }

  let deployment: String
  let account: String
  let content: Content
}

/// Why the keyring did not do what it was asked.
enum StoreError: Error, Equatable {
  /// No bus, no service, or no collection.
  case unavailable(String)
  /// The collection or the item is locked.
  case locked
  /// The person closed the prompt.
  case dismissed
  /// Nobody answered in time.
  case timedOut
  /// The item called `label` holds something that is not ours to use.
  case unreadable(label: String, MalformedInput)
  /// The session cannot be put into a form that every keyring keeps.
  case unwritable(MalformedInput)
  /// The service did something else.
  case failed(String)
}

extension Failure {
  /// Translates a keyring's refusal into what a person can do about it.
  init(_ error: StoreError) {
    switch error {
    case .unavailable(let reason):
      self.init(
        .unlock, "there is no Secret Service: \(reason)",
        hint: "run it from a desktop session, or start one: dbus-run-session, gnome-keyring-daemon")
    case .locked:
      self.init(.unlock, "the keyring is locked", hint: "unlock it in your keyring application")
    case .dismissed:
      self.init(.unlock, "the keyring stays locked: its prompt was dismissed")
    case .timedOut:
      self.init(.unlock, "the keyring did not answer in time")
    case .unreadable(let label, .newerPayload(let version)):
      self.init(
        .fixTheInput, "the keyring item “\(label)” has format \(version), newer than we know",
        hint: "upgrade coder-cred; the item was left as it is")
    case .unreadable(let label, let error):
      self.init(
        .fixTheInput, "the keyring item “\(label)” is not ours to use: \(error.reason)",
        hint: "look at it in your keyring application; it was left as it is")
    case .unwritable(let error):
      self.init(.fixTheInput, "this cannot be kept: \(error.reason)")
    case .failed(let reason):
      self.init(.unlock, "the keyring failed: \(reason)")
    }
  }

  /// Translates malformed input.
  init(_ error: MalformedInput) {
    self.init(.fixTheInput, error.reason)
  }
}

extension MalformedInput {
  /// The reason alone.
  var reason: String {
    switch self {
    case .request(let reason), .url(let reason), .payload(let reason), .unwritable(let reason),
      .settings(let reason):
      reason
    case .newerPayload(let version): "its format \(version) is newer than we know"
    }
  }
}
