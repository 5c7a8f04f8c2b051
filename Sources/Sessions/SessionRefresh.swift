package import Credentials
import HTTP
import OAuth
import Secrets

/// Turns a stored session into one whose access token works, asking the deployment only when that
/// is needed.
///
/// Invariants: a refresh token is sent by one process at a time, after the keyring has taken a mark
/// that says so; a session ends only by the deployment's own refusal of an unchanged session, under
/// the lock; what a refresh brought is handed out even if the keyring will not take it.
package struct SessionRefresh {
  /// How long to go on trying to save what a refresh brought, in milliseconds.
  static let savingTimeoutMilliseconds: Int64 = 5_000
  /// How long a caller with a live token waits for another process, in milliseconds.
  static let shortTimeoutMilliseconds = 10_000

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
    let isOld = session.secondsLeft(now: services.clock.now).map { $0 < minimumSeconds } ?? false
    let isRejected = session.staleSince != nil && !isOld && mayRefresh
    return try refresh(
      session, because: isRejected ? .rejection : .age(minimumSeconds: minimumSeconds),
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
    let first = situation(seen, seen, reason, mayRefresh, RefreshHistory())
    if let session = try settled(first) { return session }
    do throws(SessionError) {
      let isAlive = reason.hasWaitingCaller && seen.isAlive(now: services.clock.now)
      return try services.lock.withLock(
        of: seen.identity,
        timeoutMilliseconds: isAlive
          ? Self.shortTimeoutMilliseconds : FileLock.usualTimeoutMilliseconds,
        orUse: { () throws(SessionError) in try settled(current(seen, reason)) },
        { () throws(SessionError) in
          let situation = try current(seen, reason)
          if let session = try settled(situation) { return session }
          return try exchange(situation)
        })
    } catch {
      guard first.mayUse(after: error) else { throw error }
      services.warn(.notRefreshed(error))
      return seen
    }
  }

  /// The outcome of a situation that needs no request; nil when one must be sent.
  private func settled(_ situation: RefreshSituation) throws(SessionError) -> StoredSession? {
    let session = situation.session
    let decision = situation.decision
    switch decision {
    case .refresh: return nil
    case .use(let grounds):
      if grounds != .fresh { services.trace("\(session.deployment.url): no refresh, \(grounds)") }
      return session
    case .wait(let failedSecondsAgo, let nextTrySeconds):
      throw .leftAlone(
        session.identity, failedSecondsAgo: failedSecondsAgo, nextTrySeconds: nextTrySeconds)
    case .forbidden: throw .refreshForbidden(session.identity)
    case .ended: throw .signInNeeded(session.identity, .ended)
    }
  }

  /// The situation as it is now, with the session and its history read again: another process may
  /// have refreshed, or failed to, while we waited.
  private func current(
    _ seen: StoredSession, _ reason: RefreshReason
  ) throws(SessionError) -> RefreshSituation {
    guard let session = try read(seen) else {
      throw .signInNeeded(seen.identity, .removed)
    }
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

  /// One refresh at the deployment, under the session's lock (RFC 6749 §6).
  private func exchange(_ situation: RefreshSituation) throws(SessionError) -> StoredSession {
    let session = situation.session
    guard let refreshToken = session.refreshToken else {
      throw .signInNeeded(session.identity, .ended)
    }
    guard let registration = try registration(of: session) else {
      throw .signInNeeded(session.identity, .registrationGone)
    }
    let http = DateRecordingClient(
      client: services.client(
        session.deployment,
        situation.reason.hasWaitingCaller ? .callerWaits : .canTakeItsTime))
    // From here until the tokens are saved, a signal would cost the session.
    let signals = HeldSignals()
    defer { signals.release() }
    // The mark proves that the keyring can be written, before a refresh token is spent whose
    // successor could not be kept.
    var marked = session
    marked.refreshingSince = services.clock.now
    try save(marked)
    let startMilliseconds = services.clock.uptimeMilliseconds
    let outcome = RefreshRequest(
      services: services, session: session, refreshToken: refreshToken,
      registration: registration, http: http
    ).send()
    warnOfClock(http, session.deployment)
    let response: TokenResponse
    switch outcome {
    case .tokens(let tokens): response = tokens
    case .failed(let error):
      return try recover(
        situation, from: error,
        tookMilliseconds: services.clock.uptimeMilliseconds - startMilliseconds)
    case .registrationGone: return try end(situation, removing: registration)
    }
    for oddity in response.oddities {
      services.warn(.oddResponse(session.deployment, oddity))
    }
    let refreshed = session.refreshed(with: response, now: services.clock.now)
    keep(refreshed)
    var history = situation.history
    history.succeed(
      now: services.clock.uptimeMilliseconds, isForced: situation.reason == .rejection)
    save(history, situation)
    return refreshed
  }

  /// The deployment has spent the old refresh token: the new session is handed out even if the
  /// keyring will not take it.
  private func keep(_ refreshed: StoredSession) {
    let deadline = services.clock.uptimeMilliseconds + Self.savingTimeoutMilliseconds
    while true {
      do throws(StoreError) {
        return try services.store.save(refreshed)
      } catch {
        guard services.clock.uptimeMilliseconds < deadline else {
          return services.warn(.notSaved(error))
        }
        services.clock.sleep(milliseconds: 100)
      }
    }
  }

  /// Leaves the keyring and the history as a failed refresh requires.
  ///
  /// - Returns: the session of another process that has refreshed meanwhile.
  private func recover(
    _ situation: RefreshSituation, from error: OAuthError, tookMilliseconds: Int64
  ) throws(SessionError) -> StoredSession {
    let session = situation.session
    var history = situation.history
    switch error.grantState {
    case .dead: return try end(situation, removing: nil)
    case .unspent:
      // Nothing was refreshed: no mark must make the next process think that it might have been.
      // An older mark stays, because that one's outcome is still unknown.
      try? services.store.save(session)
    case .unknown:
      break  // The mark stays and tells the next process what may have happened.
    }
    if error.isOfDeployment {
      history.fail(
        now: services.clock.uptimeMilliseconds, took: tookMilliseconds,
        retryAfter: error.retryAfter, jitter: .random(in: 0...1))
      save(history, situation)
    }
    throw .oauth(error, at: session.deployment)
  }

  /// Ends a session whose refresh token or registration was refused, unless another process has
  /// changed it meanwhile: then that one's tokens are used.
  private func end(
    _ situation: RefreshSituation, removing registration: StoredRegistration?
  ) throws(SessionError) -> StoredSession {
    let session = situation.session
    var history = situation.history
    history.succeed(now: services.clock.uptimeMilliseconds, isForced: false)
    save(history, situation)
    guard let stored = try read(session) else {
      throw .signInNeeded(session.identity, .removed)
    }
    guard stored.refreshToken == session.refreshToken else {
      guard stored.isAlive(now: services.clock.now) else {
        throw .changedMeanwhile(session.identity)
      }
      return stored
    }
    // The refresh token is dead: without it, later calls know so without asking the deployment.
    var ended = session
    ended.refreshToken = nil
    ended.refreshingSince = nil
    ended.staleSince = services.clock.now
    try save(ended)
    if let registration { try remove(registration) }
    throw .signInNeeded(
      session.identity,
      session.refreshingSince == nil ? .refused : .refusedAfterInterruption)
  }

  private func save(_ history: RefreshHistory, _ situation: RefreshSituation) {
    if history != situation.history {
      services.history.save(history, of: situation.session.identity)
    }
  }

  private func warnOfClock(_ http: DateRecordingClient, _ deployment: Deployment) {
    if let seconds = http.clockDifferenceSeconds(now: services.clock.now) {
      services.warn(.clockDiffers(deployment, seconds: seconds))
    }
  }
}

/// The keyring, with its errors as those of a session.
extension SessionRefresh {
  private func read(_ session: StoredSession) throws(SessionError) -> StoredSession? {
    do throws(StoreError) { return try services.store.session(like: session) } catch {
      throw .store(error)
    }
  }

  private func save(_ session: StoredSession) throws(SessionError) {
    do throws(StoreError) { try services.store.save(session) } catch { throw .store(error) }
  }

  /// The registration that the tokens were issued to. With any other, the deployment would refuse
  /// the refresh token for good.
  private func registration(of session: StoredSession) throws(SessionError) -> StoredRegistration? {
    do throws(StoreError) {
      let stored = try services.store.registration(of: session.deployment)
      return stored.flatMap { $0.clientID == session.clientID ? $0 : nil }
    } catch {
      throw .store(error)
    }
  }

  /// Removes a registration that the deployment no longer knows: signing in must not offer it again.
  private func remove(_ registration: StoredRegistration) throws(SessionError) {
    do throws(StoreError) {
      let stored = try services.store.registration(of: registration.deployment)
      guard stored?.clientID == registration.clientID else { return }
      try services.store.removeRegistration(of: registration.deployment)
    } catch {
      throw .store(error)
    }
  }
}
