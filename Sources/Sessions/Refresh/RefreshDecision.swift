package import Credentials
package import Secrets

/// Why a session is to be refreshed.
package enum RefreshReason: Equatable, Sendable {
  /// The access token is too old: it must live this much longer.
  case age(minimumSeconds: Int64)
  /// The deployment is said to have rejected the access token.
  case rejection
  /// It is time, and nobody is waiting.
  case schedule
  /// A person wants it now.
  case command

  /// Why a session that somebody wants to use may need a refresh: a caller has rejected its token,
  /// or it is too old.
  package static func use(
    of session: StoredSession, minimumSeconds: Int64, mayRefresh: Bool, now: Int64
  ) -> RefreshReason {
    let isOld = session.secondsLeft(now: now).map { $0 < minimumSeconds } ?? false
    return session.staleSince != nil && !isOld && mayRefresh
      ? .rejection : .age(minimumSeconds: minimumSeconds)
  }

  /// Whether a tool waits for the token and takes one that still lives.
  package var hasWaitingCaller: Bool {
    switch self {
    case .age, .rejection: true
    case .schedule, .command: false
    }
  }
}

/// What to do about a session that was asked for.
package enum RefreshDecision: Equatable, Sendable {
  /// Hand it out as it is.
  case use(Grounds)
  /// Ask the deployment for new tokens.
  case refresh
  /// Leave the deployment alone for now; there is nothing to hand out.
  case wait(failedSecondsAgo: Int64, nextTrySeconds: Int64)
  /// Only a refresh would help, and the caller forbids it.
  case forbidden
  /// Only a new sign-in helps.
  case ended

  /// Why a session can be handed out.
  package enum Grounds: Equatable, Sendable {
    /// It lives as long as the caller asks for.
    case fresh
    /// Another process has brought a new token since the caller read the session.
    case refreshedByAnother
    /// Its token is so new that a refresh would bring nothing better.
    case asFreshAsPossible
    /// A refresh was forced a moment ago: one serves everybody who reports a rejected token.
    case forcedMomentsAgo
    /// It is not as fresh as asked for, and nothing better can be had.
    case stillValid
  }
}

/// Everything that ``RefreshDecision`` depends on: the decision is a pure function of it.
package struct RefreshSituation: Sendable {
  /// The session as the keyring holds it.
  package let session: StoredSession
  /// The access token that the caller saw; another one in the session is a newer one.
  package let seenToken: Secret
  /// Why a refresh is considered.
  package let reason: RefreshReason
  /// Whether the deployment may be asked at all.
  package let mayRefresh: Bool
  /// What became of the last refreshes.
  package let history: RefreshHistory
  /// The wall clock, in Unix seconds.
  package let now: Int64
  /// Milliseconds since start-up, suspension included.
  package let uptimeMilliseconds: Int64

  /// Describes a situation.
  package init(
    session: StoredSession, seenToken: Secret, reason: RefreshReason, mayRefresh: Bool = true,
    history: RefreshHistory, now: Int64, uptimeMilliseconds: Int64
  ) {
    self.session = session
    self.seenToken = seenToken
    self.reason = reason
    self.mayRefresh = mayRefresh
    self.history = history
    self.now = now
    self.uptimeMilliseconds = uptimeMilliseconds
  }

  /// What to do, from the cheapest ground to the dearest.
  package var decision: RefreshDecision {
    if case .age(let minimumSeconds) = reason {
      if session.isFresh(now: now, minimumSeconds: minimumSeconds) { return .use(.fresh) }
      if isAsFreshAsPossible { return .use(.asFreshAsPossible) }
    }
    // One that is marked may be dead by the time it is used.
    if session.accessToken != seenToken, isAlive, session.refreshingSince == nil {
      return .use(.refreshedByAnother)
    }
    guard session.method == .oauth, session.refreshToken != nil else {
      // A rejected token must not be handed out again, and a person who asks for a refresh is told
      // that there is none.
      if case .age = reason, isAlive { return .use(.stillValid) }
      return .ended
    }
    guard mayRefresh else { return isAlive ? .use(.stillValid) : .forbidden }
    if reason == .rejection, !isExpired, session.refreshingSince == nil,
      history.wasForced(for: session.accessToken, now: uptimeMilliseconds)
    {
      return .use(.forcedMomentsAgo)
    }
    if reason != .command, let waitMilliseconds = history.wait(now: uptimeMilliseconds) {
      // What is marked may be dead: a caller who is handed that is told so.
      if isAlive, session.refreshingSince == nil { return .use(.stillValid) }
      let failedAgo = history.sinceFailure(now: uptimeMilliseconds) ?? 0
      return .wait(
        failedSecondsAgo: failedAgo / 1000, nextTrySeconds: waitMilliseconds / 1000 + 1)
    }
    return .refresh
  }

  /// Whether to hand the session out although a refresh was tried and failed: a caller is waiting,
  /// the access token lives, and the failure does not say that it was ended.
  package func mayUse(after error: SessionError) -> Bool {
    guard reason.hasWaitingCaller, isAlive else { return false }
    switch error {
    case .signInNeeded(_, .registrationGone): return true
    case .signInNeeded, .changedMeanwhile: return false
    // An item that this version cannot read needs a person; a warning would be overlooked.
    case .store(.unreadable), .store(.unwritable): return false
    default: return true
    }
  }

  private var isAlive: Bool { session.isAlive(now: now) }

  private var isExpired: Bool { session.secondsLeft(now: now).map { $0 <= 0 } ?? false }

  /// A refresh kills the token that was just handed out. So a token that came from a refresh, and
  /// cannot live as long as the caller asks for, is replaced after 30 seconds at the earliest, or
  /// at half its life if that is shorter.
  private var isAsFreshAsPossible: Bool {
    guard isAlive, session.refreshingSince == nil, session.method == .oauth,
      let issuedAt = session.issuedAt, issuedAt != session.signedInAt, issuedAt <= now,
      let expiresAt = session.expiresAt, issuedAt < expiresAt
    else { return false }
    let (life, overflow) = expiresAt.subtractingReportingOverflow(issuedAt)
    return now - issuedAt < (overflow ? 30 : min(30, life / 2))
  }
}
