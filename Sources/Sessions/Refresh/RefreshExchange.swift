package import Credentials
import HTTP
package import OAuth
import Secrets

/// One refresh at the deployment, under the session's lock (RFC 6749 §6).
struct RefreshExchange {
  /// How long to go on trying to save what a refresh brought before it is handed out unsaved, in
  /// milliseconds.
  static let savingTimeoutMilliseconds: Int64 = 5_000
  /// How long to go on trying afterwards, if that is possible, in milliseconds.
  static let lateSavingTimeoutMilliseconds: Int64 = 120_000

  let services: SessionServices
  let situation: RefreshSituation
  let held: HeldLock
  /// Who marks the session, in a word.
  let owner: String

  private var session: StoredSession { situation.session }

  /// Refreshes.
  ///
  /// - Returns: the session to hand out; nil when another process has come between and the situation
  ///   must be looked at again.
  func run() throws(SessionError) -> StoredSession? {
    guard let refreshToken = session.refreshToken else {
      throw .signInNeeded(session.identity, .ended)
    }
    guard let registration = try registration() else {
      throw .signInNeeded(session.identity, .registrationGone)
    }
    let http = DateRecordingClient(
      client: services.client(
        session.deployment,
        situation.reason.hasWaitingCaller ? .callerWaits : .canTakeItsTime))
    // From here until the tokens are saved, a signal would cost the session.
    let signals = HeldSignals()
    defer { signals.release() }
    guard let marked = try mark() else { return nil }
    let startMilliseconds = services.clock.uptimeMilliseconds
    var history = situation.history
    var request = RefreshRequest(
      services: services, session: session, refreshToken: refreshToken,
      registration: registration, http: http,
      mayRediscover: history.mayRediscover(now: startMilliseconds))
    let outcome = request.send()
    warnOfClock(http)
    if request.hasRediscovered { history.rediscover(now: startMilliseconds) }
    let response: TokenResponse
    switch outcome {
    case .tokens(let tokens): response = tokens
    case .registrationGone: return try end(marked, history, removing: registration)
    case .failed(let error):
      return try recover(
        marked, history, from: error,
        tookMilliseconds: services.clock.uptimeMilliseconds - startMilliseconds)
    }
    for oddity in response.oddities {
      services.warn(.oddResponse(session.deployment, oddity))
    }
    let refreshed = session.refreshed(with: response, now: services.clock.now)
    let kept = keep(refreshed)
    history.succeed(
      now: services.clock.uptimeMilliseconds, token: refreshed.accessToken,
      isForced: situation.reason == .rejection)
    save(history)
    return kept
  }

  /// Marks the session.
  ///
  /// - Returns: the session as it is stored now; nil when another process has changed it.
  private func mark() throws(SessionError) -> StoredSession? {
    let marked = session.marked(by: owner, since: services.clock.now)
    do throws(StoreError) {
      return try services.mark(session, as: marked, holding: held) ? marked : nil
    } catch {
      throw .store(error)
    }
  }

  /// Keeps what the refresh brought: the deployment has spent the old refresh token, so it is handed
  /// out even if the keyring will not take it.
  ///
  /// - Returns: the session to hand out.
  private func keep(_ refreshed: StoredSession) -> StoredSession {
    do throws(StoreError) {
      return try save(refreshed, within: Self.savingTimeoutMilliseconds)
    } catch {
      services.warn(.notSaved(error))
      // What is too large for a keyring stays so.
      if case .unwritable = error { return refreshed }
    }
    if let handOver = services.handOver {
      handOver(refreshed)
      _ = try? save(refreshed, within: Self.lateSavingTimeoutMilliseconds)
    }
    return refreshed
  }

  /// Saves what the refresh brought, unless another process has put something else in its place
  /// meanwhile: a sign-in, or the removal of the session.
  private func save(
    _ refreshed: StoredSession, within timeoutMilliseconds: Int64
  ) throws(StoreError) -> StoredSession {
    let deadline = services.clock.uptimeMilliseconds + timeoutMilliseconds
    var isGone = false
    while true {
      do throws(StoreError) {
        guard let stored = try services.store.session(like: session) else {
          if isGone { return refreshed }
          // A Secret Service that has just started may not have read its items yet.
          isGone = true
          services.clock.sleep(milliseconds: 1_000)
          continue
        }
        guard stored.refreshToken == session.refreshToken else {
          return stored.isFresh(now: services.clock.now, minimumSeconds: 0) ? stored : refreshed
        }
        try services.store.save(refreshed)
        return refreshed
      } catch {
        if case .unwritable = error { throw error }
        guard services.clock.uptimeMilliseconds < deadline else { throw error }
        services.clock.sleep(milliseconds: 100)
      }
    }
  }

  /// Leaves the keyring and the history as a failed refresh requires.
  ///
  /// - Returns: the session of another process that has refreshed meanwhile.
  private func recover(
    _ marked: StoredSession, _ history: RefreshHistory, from error: OAuthError,
    tookMilliseconds: Int64
  ) throws(SessionError) -> StoredSession {
    switch error.grantState {
    case .dead: return try end(marked, history, removing: nil)
    case .unspent:
      // Nothing was refreshed: no mark must make the next process think that it might have been.
      // An older mark stays, because that one's outcome is still unknown.
      _ = try? services.store.replace(marked, with: session)
    case .unknown:
      // The mark stays and tells the next process what may have happened; nobody need wait for us.
      var left = marked
      left.refreshingBy = nil
      _ = try? services.store.replace(marked, with: left)
    }
    var history = history
    if error.isOfDeployment {
      history.fail(
        now: services.clock.uptimeMilliseconds, took: tookMilliseconds,
        retryAfter: error.retryAfter, jitter: Double(services.random() >> 11) * 0x1p-53,
        wasSent: !error.wasCertainlyNotSent, isRefusal: error.isUnclearRefusal)
    }
    save(history)
    // Once may be a moment's trouble.
    if error.isUnclearRefusal, history.refusals > 1 || !session.isAlive(now: services.clock.now) {
      throw .refusedUnclearly(session.identity, error)
    }
    throw .oauth(error, at: session.deployment)
  }

  /// Ends a session whose refresh token or registration was refused, unless another process has
  /// changed it meanwhile: then that one's tokens are used.
  private func end(
    _ marked: StoredSession, _ history: RefreshHistory, removing registration: StoredRegistration?
  ) throws(SessionError) -> StoredSession {
    var history = history
    history.settle()
    save(history)
    // Who has spent the token instead of us may be about to save what it brought.
    services.clock.sleep(milliseconds: 300)
    let deadline = services.clock.uptimeMilliseconds + RefreshMark.leaseSeconds * 1000
    while true {
      guard let stored = try read() else { throw .signInNeeded(session.identity, .removed) }
      let isAnothers = stored.isBeingRefreshed(
        besides: owner, holding: held, now: services.clock.now)
      if !isAnothers || services.clock.uptimeMilliseconds >= deadline {
        guard stored.refreshToken == session.refreshToken else {
          guard stored.isAlive(now: services.clock.now) else {
            throw .changedMeanwhile(session.identity)
          }
          return stored
        }
        // The refresh token is dead: without it, later calls know so without asking the deployment.
        var ended = stored
        ended.refreshToken = nil
        ended.refreshingSince = nil
        ended.refreshingBy = nil
        ended.staleSince = services.clock.now
        if try replace(stored, with: ended) { break }
      }
      services.clock.sleep(milliseconds: 500)
    }
    if let registration { try remove(registration) }
    throw .signInNeeded(
      session.identity,
      session.refreshingSince == nil ? .refused : .refusedAfterInterruption)
  }

  private func save(_ history: RefreshHistory) {
    if history != situation.history { services.history.save(history, of: session.identity) }
  }

  private func warnOfClock(_ http: DateRecordingClient) {
    if let seconds = http.clockDifferenceSeconds(now: services.clock.now) {
      services.warn(.clockDiffers(session.deployment, seconds: seconds))
    }
  }
}

/// The keyring, with its errors as those of a session.
extension RefreshExchange {
  private func read() throws(SessionError) -> StoredSession? {
    do throws(StoreError) { return try services.store.session(like: session) } catch {
      throw .store(error)
    }
  }

  private func replace(
    _ former: StoredSession, with session: StoredSession
  ) throws(SessionError) -> Bool {
    do throws(StoreError) { return try services.store.replace(former, with: session) } catch {
      throw .store(error)
    }
  }

  /// The registration that the tokens were issued to. With any other, the deployment would refuse
  /// the refresh token for good.
  private func registration() throws(SessionError) -> StoredRegistration? {
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

extension StoredSession {
  /// This session with the tokens of a token response.
  package func refreshed(with response: TokenResponse, now: Int64) -> StoredSession {
    var refreshed = self
    refreshed.accessToken = response.accessToken
    refreshed.tokenType = response.tokenType
    refreshed.issuedAt = now
    refreshed.expiresAt = response.expiresAt
    // RFC 6749 §6: "The authorization server MAY issue a new refresh token"; without one the old
    // one stays good.
    refreshed.refreshToken = response.refreshToken ?? refreshToken
    refreshed.scope = response.scope ?? scope
    refreshed.staleSince = nil
    refreshed.refreshingSince = nil
    refreshed.refreshingBy = nil
    return refreshed
  }
}
