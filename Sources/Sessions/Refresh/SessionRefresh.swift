package import Credentials

/// Turns a stored session into one whose access token works, asking the deployment only when that
/// is needed.
///
/// Invariants: a refresh token is sent by one process at a time, after the keyring has taken a mark
/// that says so; a session ends only by the deployment's own refusal of an unchanged session, under
/// the lock; nothing is saved over what another process saved meanwhile; what a refresh brought is
/// handed out even if the keyring will not take it.
package struct SessionRefresh {
  /// How long a caller with a live token waits for another process, in milliseconds.
  package static let shortTimeoutMilliseconds = 10_000

  private let services: SessionServices

  /// Works with the given seams.
  package init(services: SessionServices) {
    self.services = services
  }

  /// A session to hand out: as stored when it is fresh, else refreshed.
  ///
  /// - Parameters:
  ///   - session: what the keyring holds.
  ///   - minimumSeconds: how long the access token must still live.
  ///   - mayRefresh: whether the deployment may be asked.
  /// - Returns: a session whose access token is alive.
  /// - Throws: ``SessionError`` when there is no access token alive, and none can be had.
  package func validSession(
    _ session: StoredSession, minimumSeconds: Int64, mayRefresh: Bool
  ) throws(SessionError) -> StoredSession {
    try refresh(
      session,
      because: .use(
        of: session, minimumSeconds: minimumSeconds, mayRefresh: mayRefresh,
        now: services.clock.now),
      mayRefresh: mayRefresh)
  }

  /// A session with another access token than the one that was just rejected, if one may be had.
  ///
  /// - Returns: the very session given when a refresh was forced a moment ago, or the deployment
  ///   is to be left alone.
  package func refreshRejected(_ rejected: StoredSession) throws(SessionError) -> StoredSession {
    try refresh(rejected, because: .rejection)
  }

  /// Refreshes a session if its situation asks for it, once among all processes that want it.
  ///
  /// - Parameters:
  ///   - seen: the session as the caller read it.
  ///   - reason: why.
  ///   - mayRefresh: whether the deployment may be asked.
  /// - Returns: the session with a token that was issued since `seen` was read; for a waiting caller
  ///   otherwise one that still lives.
  /// - Throws: ``SessionError``.
  package func refresh(
    _ seen: StoredSession, because reason: RefreshReason, mayRefresh: Bool = true
  ) throws(SessionError) -> StoredSession {
    let step = try refresh(
      seen, because: reason, mayRefresh: mayRefresh, under: services.lock
    ) { held, deadline throws(SessionError) in
      try exchange(seen, reason, held, deadline)
    }
    return switch step {
    case .settled(let session), .started(let session): session
    }
  }

  /// What came of wanting a session refreshed.
  package enum Step<Refresh> {
    /// No request was needed.
    case settled(StoredSession)
    /// It was, and this is what was done.
    case started(Refresh)
  }

  /// Does what is given, under the lock, if a session's situation asks for a refresh.
  ///
  /// - Parameters:
  ///   - seen: the session as the caller read it.
  ///   - reason: why.
  ///   - mayRefresh: whether the deployment may be asked.
  ///   - lock: what keeps others from the same.
  ///   - timeoutMilliseconds: how long to wait for others; nil for what suits the reason.
  ///   - start: refreshes, or has it done; it learns whom the lock excludes, and until when, in
  ///     milliseconds since start-up, it may wait for others itself.
  /// - Returns: what came of it.
  /// - Throws: ``SessionError``.
  package func refresh<Refresh>(
    _ seen: StoredSession, because reason: RefreshReason, mayRefresh: Bool,
    under lock: any SessionLock, timeoutMilliseconds: Int? = nil,
    _ start: (HeldLock, _ deadline: Int64) throws(SessionError) -> Refresh
  ) throws(SessionError) -> Step<Refresh> {
    let first = situation(seen, seen, reason, mayRefresh, RefreshHistory())
    if let session = try settled(first) { return .settled(session) }
    do throws(SessionError) {
      let isAlive = reason.hasWaitingCaller && seen.isAlive(now: services.clock.now)
      let timeoutMilliseconds =
        timeoutMilliseconds
        ?? (isAlive ? Self.shortTimeoutMilliseconds : FileLock.usualTimeoutMilliseconds)
      let deadline = services.clock.uptimeMilliseconds + Int64(timeoutMilliseconds)
      return try lock.withLock(
        of: seen.identity, timeoutMilliseconds: timeoutMilliseconds,
        orUse: { () throws(SessionError) in
          try settled(current(seen, reason)).map(Step.settled)
        },
        { held throws(SessionError) in
          if let session = try settled(current(seen, reason), isLocked: true) {
            return .settled(session)
          }
          return .started(try start(held, deadline))
        })
    } catch {
      guard first.mayUse(after: error) else { throw error }
      services.warn(.handedOut(after: error))
      return .settled(seen)
    }
  }

  /// Refreshes under the lock; where the lock does not exclude everybody, only once nobody else
  /// does.
  private func exchange(
    _ seen: StoredSession, _ reason: RefreshReason, _ held: HeldLock, _ deadline: Int64
  ) throws(SessionError) -> StoredSession {
    var isLate = false
    while true {
      let situation = try waitForOthers(seen, reason, held, until: deadline)
      if let session = try settled(situation, isLocked: true) { return session }
      // Only now: whoever came between may have brought what was wanted.
      if isLate { throw .busy(holder: nil, waitedSeconds: 0) }
      let exchange = RefreshExchange(
        services: services, situation: situation, held: held,
        owner: RefreshMark.owner(holding: held, number: services.random()))
      if let session = try exchange.run() { return session }
      isLate = services.clock.uptimeMilliseconds >= deadline
    }
  }

  /// The situation once nobody else seems to refresh the session, by the mark in the keyring.
  private func waitForOthers(
    _ seen: StoredSession, _ reason: RefreshReason, _ held: HeldLock, until deadline: Int64
  ) throws(SessionError) -> RefreshSituation {
    let start = services.clock.uptimeMilliseconds
    var pauseMilliseconds = 50
    while true {
      let situation = try current(seen, reason)
      let waited = services.clock.uptimeMilliseconds - start
      guard situation.decision == .refresh,
        situation.session.isBeingRefreshed(holding: held, now: situation.now),
        waited < RefreshMark.leaseSeconds * 1000
      else { return situation }
      guard services.clock.uptimeMilliseconds < deadline else {
        throw .busy(holder: nil, waitedSeconds: Int(waited / 1000))
      }
      services.clock.sleep(milliseconds: pauseMilliseconds)
      pauseMilliseconds = min(2 * pauseMilliseconds, 1_000)
    }
  }

  /// The outcome of a situation that needs no request; nil when one must be sent.
  private func settled(
    _ situation: RefreshSituation, isLocked: Bool = false
  ) throws(SessionError) -> StoredSession? {
    let session = situation.session
    let decision = situation.decision
    switch decision {
    case .refresh: return nil
    case .use(let grounds):
      if grounds != .fresh { services.trace("\(session.deployment.url): no refresh, \(grounds)") }
      if grounds == .forcedMomentsAgo, isLocked { noteRejection(of: session) }
      return session
    case .wait(let failedSecondsAgo, let nextTrySeconds):
      throw situation.history.refusals > 0
        ? .leftAloneAfterRefusal(
          session.identity, failedSecondsAgo: failedSecondsAgo, nextTrySeconds: nextTrySeconds)
        : .leftAlone(
          session.identity, failedSecondsAgo: failedSecondsAgo, nextTrySeconds: nextTrySeconds)
    case .forbidden: throw .refreshForbidden(session.identity)
    case .ended: throw .signInNeeded(session.identity, .ended)
    }
  }

  /// Once the moment is over, the next process must not take the token for good.
  private func noteRejection(of session: StoredSession) {
    guard session.staleSince == nil else { return }
    var stale = session
    stale.staleSince = services.clock.now
    // A failed save costs another rejection.
    _ = try? services.store.replace(session, with: stale)
  }

  /// The situation as it is now, with the session and its history read again: another process may
  /// have refreshed, or failed to, while we waited.
  private func current(
    _ seen: StoredSession, _ reason: RefreshReason
  ) throws(SessionError) -> RefreshSituation {
    let stored: StoredSession?
    do throws(StoreError) { stored = try services.store.session(like: seen) } catch {
      throw .store(error)
    }
    guard let session = stored else { throw .signInNeeded(seen.identity, .removed) }
    return situation(session, seen, reason, true, services.history.history(of: seen.identity))
  }

  private func situation(
    _ session: StoredSession, _ seen: StoredSession, _ reason: RefreshReason, _ mayRefresh: Bool,
    _ history: RefreshHistory
  ) -> RefreshSituation {
    RefreshSituation(
      session: session, seenToken: seen.accessToken, reason: reason, mayRefresh: mayRefresh,
      history: history, now: services.clock.now,
      uptimeMilliseconds: services.clock.uptimeMilliseconds)
  }
}
