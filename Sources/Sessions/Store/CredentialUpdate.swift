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
    guard var session = request.session(now: clock.now) else { return }
    // What a session here brings for this place comes back from git, sometimes after a refresh made
    // it old, and with useHttpPath under a path of the deployment: it is not news.
    let parents = request.deployment.withParents
    let others = parents.filter { $0 != session.deployment }
    let stored = store.lookUp(
      [.sessions(of: session.deployment, account: nil)]
        + others.map { .sessions(of: $0, account: request.username) }
        + [.plain(on: session.deployment.server, account: nil)])
    let beside = try sessions(stored, 0)
    var known = parents.contains(session.deployment) ? beside : []
    for index in 1..<(1 + others.count) {
      if known.contains(where: { $0.brings(request, now: clock.now) }) { break }
      known = try sessions(stored, index)
    }
    if known.contains(where: { $0.brings(request, now: clock.now) }) { return }
    let former = beside.first { $0.identity == session.identity }
    // Where several fit, the one stored last is given.
    let last = beside.compactMap(\.storedAt).max()
    if let former, former.hasSameCredential(as: session), former.storedAt == last { return }
    let onServer = try sessions(stored, 1 + others.count)
    let newest = max(last ?? 0, onServer.compactMap(\.storedAt).max() ?? 0)
    session.storedAt = max(clock.now, newest &+ 1)
    try save(session, over: former)
  }

  /// Saves a session unless a sign-in has come between.
  private func save(
    _ session: StoredSession, over former: StoredSession?
  ) throws(SessionError) {
    guard former?.refreshingSince == nil else {
      // Whoever refreshes it must be done.
      return try locked(session) { _, current throws(StoreError) in
        guard current == former else { return }
        try store.save(session)
      }
    }
    _ = try withLock(of: session.identity) { () throws(SessionError) in
      try keyring { () throws(StoreError) in try store.replace(former, with: session) }
    }
  }

  /// Takes a credential back. With a secret, only the session that holds it: an OAuth session is
  /// marked, to be refreshed at the next request, and any other is removed. Without a secret, every
  /// session that the request means.
  ///
  /// - Throws: ``SessionError/store(_:)``; what the lock throws.
  package func erase(_ request: CredentialRequest) throws(SessionError) {
    let left: Remainder
    if let account = request.username, request.place == request.deployment {
      // One look under its lock serves to decide and to remove.
      let named = SessionIdentity(deployment: request.deployment, account: account)
      left = try withLock(of: named) { () throws(SessionError) in try erase(request, holding: named)
      }
    } else {
      left = try erase(request, holding: nil)
    }
    for session in left.sessions {
      if request.tellsSecret { try reject(session) } else { try remove(session) }
    }
    guard left.hasLost, !request.tellsSecret else { return }
    try keyring { () throws(StoreError) in
      _ = try store.removeLostSessions(of: request.deployment, account: request.username)
    }
  }

  /// What remains to be done after a look.
  private struct Remainder {
    var sessions: [StoredSession] = []
    var hasLost = false
  }

  /// Looks for what a request takes back, and removes it if it is the session whose lock is held, and is
  /// refreshed by nobody.
  private func erase(
    _ request: CredentialRequest, holding locked: SessionIdentity?
  ) throws(SessionError) -> Remainder {
    // What another program or a newer version wrote is reported, and not ours to delete.
    let deployments = request.tellsSecret ? request.deployment.withParents : [request.deployment]
    let queries = queries(for: request, in: deployments)
    let stored = store.lookUp(queries)
    var left = Remainder()
    for index in queries.indices {
      let found = try keyring { () throws(StoreError) in try stored.found(index) }
      // Besides the deployments, what is not plain is not meant.
      let isDeployment = index < deployments.count
      left.sessions += found.sessions.filter {
        (isDeployment || $0.isPlain) && request.takesBack($0)
      }
      left.hasLost = left.hasLost || isDeployment && found.hasLost
    }
    let here = left.sessions.filter {
      $0.identity == locked && $0.method != .oauth && $0.refreshingSince == nil
    }
    left.sessions.removeAll { here.contains($0) }
    for session in here {
      try keyring { () throws(StoreError) in try stored.remove(session) }
    }
    return left
  }

  /// Where to look for what a request may take back: the sessions of these deployments, and the plain
  /// credentials of its place; of any path, if it names none.
  private func queries(
    for request: CredentialRequest, in deployments: [Deployment]
  ) -> [SessionQuery] {
    var queries = deployments.map { SessionQuery.sessions(of: $0, account: request.username) }
    if request.place != request.deployment {
      queries.append(.sessions(of: request.place, account: request.username))
    }
    if request.place.path.isEmpty {
      queries.append(.plain(on: request.place, account: request.username))
    }
    return queries
  }

  /// Removes a session; a refresh of it that is under way must not bring it back. With a secret, only
  /// while it holds that.
  private func remove(
    _ session: StoredSession, ifItHolds secret: Secret? = nil
  ) throws(SessionError) {
    // What is no OAuth session is refreshed by nobody.
    if session.method != .oauth, session.refreshingSince == nil,
      try withLock(
        of: session.identity,
        { () throws(SessionError) in
          try keyring { () throws(StoreError) in try store.remove(session) }
        })
    {
      return
    }
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
    _ stored: any SessionLookUp, _ index: Int
  ) throws(SessionError) -> [StoredSession] {
    try keyring { () throws(StoreError) in try stored.found(index).sessions }
  }

  private func locked(
    _ session: StoredSession, _ body: (HeldLock, StoredSession?) throws(StoreError) -> Void
  ) throws(SessionError) {
    try lock.withSession(session.identity, in: store, clock: clock) {
      held, current throws(SessionError) in
      try keyring { () throws(StoreError) in try body(held, current) }
    }
  }

  /// The same for what reads the session itself, and waits for no mark.
  private func withLock<Value>(
    of session: SessionIdentity, _ body: () throws(SessionError) -> Value
  ) throws(SessionError) -> Value {
    try lock.withLock(
      of: session, timeoutMilliseconds: RefreshMark.timeoutMilliseconds,
      orUse: { () throws(SessionError) in nil }, { _ throws(SessionError) in try body() })
  }

  private func keyring<Value>(
    _ body: () throws(StoreError) -> Value
  ) throws(SessionError) -> Value {
    do throws(StoreError) { return try body() } catch { throw .store(error) }
  }
}

extension CredentialRequest {
  /// Whether it takes a session back that it may mean.
  fileprivate func takesBack(_ session: StoredSession) -> Bool {
    if isForPasswordAlone, session.password == nil { return false }
    return tellsSecret
      ? tellsSecret(of: session) : AccountMatch.isExact(username, session.account)
  }
}

extension StoredSession {
  /// Whether a request for this credential is answered from this session: an OAuth session that has
  /// not ended, or the very token.
  fileprivate func brings(_ request: CredentialRequest, now: Int64) -> Bool {
    let isAbove = method == .token && deployment != request.place
    guard !isPlain || isAbove, request.isServed(by: self) else { return false }
    return request.tellsSecret(of: self) || method == .oauth && !hasEnded(now: now)
  }
}
