package import Credentials
package import SecretService

/// The seam between sessions and the keyring.
package protocol SessionStore {
  /// The sessions of exactly this deployment that a request for `account` may use: that account's
  /// own, and one whose account nobody knows. With nil, all.
  func sessions(of deployment: Deployment, account: String?) throws(StoreError) -> [StoredSession]
  /// The plain credentials that are kept under any path of this server, for a request that names
  /// `account`, or with nil for all.
  func plainSessions(on server: Deployment, account: String?) throws(StoreError) -> [StoredSession]
  /// What several queries find, each as by ``sessions(of:account:)`` or ``plainSessions(on:account:)``:
  /// searched for together, and read for each when it is asked for.
  func lookUp(_ queries: [SessionQuery]) -> any SessionLookUp
  /// Every session of exactly this deployment, or with nil of all deployments, readable or not,
  /// without unlocking anything.
  func entries(of deployment: Deployment?) throws(StoreError) -> [SessionEntry]
  /// The URLs of the deployments that a registration is kept for. Reads no secret; empty where a
  /// locked keyring does not tell.
  func deploymentsWithRegistration() throws(StoreError) -> [String]
  /// Keeps a session in place of the one of the same deployment and account.
  func save(_ session: StoredSession) throws(StoreError)
  /// Puts a session in the place of a former one if that is still stored just so, or with nil of none
  /// if there still is none.
  ///
  /// No keyring compares by itself: the lock excludes those who could write between the look and
  /// the save.
  ///
  /// - Returns: whether it was, and the session is saved.
  func replace(
    _ former: StoredSession?, with session: StoredSession
  ) throws(StoreError) -> Bool
  /// Removes a session if it is still stored just so.
  ///
  /// - Returns: whether it was, and is removed.
  func remove(_ former: StoredSession) throws(StoreError) -> Bool
  /// Removes the sessions of exactly this deployment, of one account or with nil of all, unread.
  func removeSessions(of deployment: Deployment, account: String?) throws(StoreError)
  /// The OAuth client that we are registered as at a deployment.
  func registration(of deployment: Deployment) throws(StoreError) -> StoredRegistration?
  /// Keeps a registration in place of the deployment's former one.
  func save(_ registration: StoredRegistration) throws(StoreError)
  /// Removes the registration at a deployment.
  func removeRegistration(of deployment: Deployment) throws(StoreError)
  /// Removes the items of this deployment, of one account or with nil of all, whose secret the
  /// keyring has lost; tells how many.
  func removeLostSessions(of deployment: Deployment, account: String?) throws(StoreError) -> Int
  /// From here on the person may be asked to unlock the keyring, and to confirm.
  func allowPrompts()
  /// Makes sure that items can be written, asking the person to unlock; they may be asked from
  /// here on.
  func unlock() throws(StoreError)
  /// Whether the keyring was found to have no password, and keeps its content as readable text.
  var isReadableOnDisk: Bool { get }
}

extension SessionStore {
  /// What is stored for exactly this deployment and account.
  package func session(of identity: SessionIdentity) throws(StoreError) -> StoredSession? {
    try sessions(of: identity.deployment, account: identity.account)
      .first { $0.account == identity.account }
  }

  /// What is stored now for the deployment and account of a session seen earlier.
  package func session(like session: StoredSession) throws(StoreError) -> StoredSession? {
    try self.session(of: session.identity)
  }

  /// The same in two steps, for a keyring that cannot look and save at once.
  package func replace(
    _ former: StoredSession?, with session: StoredSession
  ) throws(StoreError) -> Bool {
    guard try self.session(like: former ?? session) == former else { return false }
    try save(session)
    return true
  }

  /// The same in two steps.
  package func remove(_ former: StoredSession) throws(StoreError) -> Bool {
    guard try session(like: former) == former else { return false }
    try removeSessions(of: former.deployment, account: former.account)
    return true
  }

  /// The same one after another.
  package func lookUp(_ queries: [SessionQuery]) -> any SessionLookUp {
    LookUpOneByOne(store: self, queries: queries)
  }
}

/// One session as a list shows it.
package struct SessionEntry {
  /// What is known of a session's content.
  package enum Content {
    /// It could be read.
    case session(StoredSession)
    /// The item cannot be read now: it or its collection is locked, or the service fails.
    case locked(StoreError)
    /// The keyring has lost the item's secret.
    case lost
    /// It is no session of ours, or was damaged.
    case unreadable(MalformedInput)
  }

  /// The item's `deployment` attribute; empty where a locked keyring does not tell.
  package let deployment: String
  /// The item's `account` attribute.
  package let account: String
  /// What the item holds.
  package let content: Content

  /// Whether the item is called as plain credentials are; that is known of most locked items, too.
  private let isCalledPlain: Bool

  /// Makes an entry; `label` is the item's.
  package init(deployment: String, account: String, content: Content, label: String = "") {
    self.deployment = deployment
    self.account = account
    self.content = content
    isCalledPlain = ItemIdentity.isLabelOfPlainCredential(label)
  }

  /// Whether it is a plain credential that is kept for git, as far as can be told.
  package var isKeptForGit: Bool {
    switch content {
    case .session(let session): !session.isForDeployment
    case .locked: isCalledPlain
    case .lost, .unreadable: false
    }
  }

  /// Whether it is locked and does not even tell which deployment it belongs to.
  package var isHidden: Bool {
    if case .locked = content { deployment.isEmpty } else { false }
  }

  /// Why it cannot be read now; nil when it can, or never will.
  package var lock: StoreError? { if case .locked(let error) = content { error } else { nil } }

  /// Whether it may be a session with a deployment, rather than a plain credential kept for git.
  package var mayHoldToken: Bool {
    switch content {
    case .session(let session): session.isForDeployment
    case .locked: !isCalledPlain
    case .lost, .unreadable: false
    }
  }

  /// Whether it may be a session with a deployment that can still be used at the Unix time `now`.
  package func mayServe(now: Int64) -> Bool {
    if case .session(let session) = content, session.hasEnded(now: now) { return false }
    return mayHoldToken
  }
}

/// Why the keyring did not do what it was asked.
package enum StoreError: Error, Equatable {
  /// The service, or the way to it, refused.
  case keyring(SecretServiceError)
  /// The item called `label` holds something that is not ours to use: the session of `account` at
  /// the deployment with this URL, or with nil the registration there.
  case unreadable(
    label: String, MalformedInput, deployment: String = "", account: String? = nil)
  /// The session cannot be put into a form that every keyring keeps.
  case unwritable(MalformedInput)

  /// A keyring is locked that does not even tell what it holds.
  package static let locked = StoreError.keyring(.locked(collection: nil))

  /// Whether unlocking would help.
  package var isLocked: Bool { if case .keyring(.locked) = self { true } else { false } }
}
