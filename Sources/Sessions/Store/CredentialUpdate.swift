package import Credentials
import Secrets

/// What a caller tells of a credential: that it worked (git's `store`), or that it was rejected or
/// is taken back (git's `erase`).
///
/// Invariants: what belongs to an OAuth session is never overwritten; a secret that is told of
/// touches no session but the one that holds it.
package struct CredentialUpdate {
  private let store: any SessionStore
  private let lock: any SessionLock
  private let clock: any SessionClock
  private let random: () -> UInt64

  /// Works with the given seams.
  package init(
    store: any SessionStore, lock: any SessionLock, clock: any SessionClock,
    random: @escaping () -> UInt64 = { .random(in: 0...UInt64.max) }
  ) {
    self.store = store
    self.lock = lock
    self.clock = clock
    self.random = random
  }

  /// Keeps a credential that worked, unless it is known, dead, ephemeral, or an OAuth session's.
  ///
  /// - Parameter request: the credential told of.
  /// - Throws: ``SessionError/store(_:)``.
  package func store(_ request: CredentialRequest) throws(SessionError) {
    guard let session = request.session(now: clock.now) else { return }
    // What a session here brings for this place comes back from git, sometimes after a refresh made
    // it old, and with useHttpPath under a path of the deployment: it is not news.
    for deployment in request.deployment.withParents {
      let known = try sessions(of: deployment, request)
      if known.contains(where: { $0.brings(request, now: clock.now) }) { return }
    }
    let former = try keyring { () throws(StoreError) in try store.session(like: session) }
    if let former, former.hasSameCredential(as: session) { return }
    try locked(session) { _, current throws(StoreError) in
      // A sign-in may have come between.
      guard current == former else { return }
      try store.save(session)
    }
  }

  /// Takes a credential back. With a secret, only the session that holds it: an OAuth session is
  /// marked, to be refreshed at the next request, and any other is removed. Without a secret, every
  /// session that the request means.
  ///
  /// - Throws: ``SessionError/store(_:)``; what the lock throws.
  package func erase(_ request: CredentialRequest) throws(SessionError) {
    guard let secret = request.secret else {
      // What another program or a newer version wrote is reported, and not ours to delete.
      let matching = try sessions(of: request.deployment, request)
      for session in matching
      where AccountMatch.isExact(request.username, session.account) {
        try remove(session)
      }
      try keyring { () throws(StoreError) in
        _ = try store.removeLostSessions(of: request.deployment, account: request.username)
      }
      return
    }
    for deployment in request.deployment.withParents {
      for session in try sessions(of: deployment, request) where session.accessToken == secret {
        try reject(session)
      }
    }
  }

  /// Removes a session; a refresh of it that is under way must not bring it back. With a secret, only
  /// while it holds that.
  private func remove(
    _ session: StoredSession, ifItHolds secret: Secret? = nil
  ) throws(SessionError) {
    var isDone = false
    while !isDone {
      try locked(session) { held, current throws(StoreError) in
        isDone = true
        guard let current, secret.map({ $0 == current.accessToken }) ?? true else { return }
        isDone = try canBeRemoved(current, holding: held)
        guard isDone else { return }
        try store.removeSessions(of: session.deployment, account: session.account)
      }
    }
  }

  /// Whether nobody whom the lock does not exclude is about to put a session back: that one sees our
  /// mark, or we see theirs.
  private func canBeRemoved(
    _ session: StoredSession, holding held: HeldLock
  ) throws(StoreError) -> Bool {
    guard session.method == .oauth else { return true }
    let number = random()
    let owner = RefreshMark.owner(holding: held, number: number)
    return try store.mark(
      session, as: session.marked(by: owner, since: clock.now), holding: held, clock: clock,
      number: number)
  }

  private func reject(_ session: StoredSession) throws(SessionError) {
    guard session.method == .oauth else {
      return try remove(session, ifItHolds: session.accessToken)
    }
    guard session.staleSince == nil else { return }
    // git erases tokens that it never tried: the refresh token stays, and nothing is revoked.
    try lock.noteRejection(of: session, in: store, clock: clock)
  }

  private func sessions(
    of deployment: Deployment, _ request: CredentialRequest
  ) throws(SessionError) -> [StoredSession] {
    try keyring { () throws(StoreError) in
      try store.sessions(of: deployment, account: request.username)
    }
  }

  private func locked(
    _ session: StoredSession, _ body: (HeldLock, StoredSession?) throws(StoreError) -> Void
  ) throws(SessionError) {
    try lock.withSession(session.identity, in: store, clock: clock) {
      held, current throws(SessionError) in
      try keyring { () throws(StoreError) in try body(held, current) }
    }
  }

  private func keyring<Value>(
    _ body: () throws(StoreError) -> Value
  ) throws(SessionError) -> Value {
    do throws(StoreError) { return try body() } catch { throw .store(error) }
  }
}

extension StoredSession {
  /// Whether a request for this credential is answered from this session: an OAuth session that has
  /// not ended, or the very token.
  fileprivate func brings(_ request: CredentialRequest, now: Int64) -> Bool {
    guard method != .basic, request.isServed(by: self) else { return false }
    if request.secret == accessToken, method == .oauth || deployment != request.deployment {
      return true
    }
    return method == .oauth && !hasEnded(now: now)
  }
}
