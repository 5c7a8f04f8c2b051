package import Credentials

extension StoredSession {
  /// How long before a session's end a person is told, in seconds: days, so that they can sign in
  /// again when it suits them.
  private static let warningSeconds: Int64 = 2 * 86_400
  /// How long deployments keep a refresh token after its access token has expired, in seconds,
  /// whatever lifetime they promise.
  private static let idleSeconds: Int64 = 7 * 86_400

  /// From when on only a new sign-in helps, unless the session is refreshed or used before, in Unix
  /// seconds; nil when nobody knows.
  package var endsAt: Int64? {
    if method == .basic { return nil }
    guard let expiresAt else { return method == .token ? keptUntil : nil }
    guard method == .oauth, refreshToken != nil else { return expiresAt }
    let (end, overflow) = expiresAt.addingReportingOverflow(Self.idleSeconds)
    return overflow ? nil : end
  }

  /// Whether a person should be told of the end at the Unix time `now`: it is days away, or less.
  ///
  /// A token that lives for less than that anyhow is told of in the last quarter of its life.
  package func endsSoon(now: Int64) -> Bool {
    guard let endsAt, !hasEnded(now: now) else { return false }
    let (left, overflow) = endsAt.subtractingReportingOverflow(now)
    let limit = min(Self.warningSeconds, keptSeconds.map { $0 / 4 } ?? Self.warningSeconds)
    return !overflow && (0...max(0, limit)).contains(left)
  }

  /// Whether it is time to ask the deployment until when it keeps a pasted token, at the Unix time
  /// `now`: half of its life is over, as far as we know.
  package func mayBeKeptLonger(now: Int64) -> Bool {
    guard method == .token, expiresAt == nil, let keptUntil, !hasEnded(now: now) else {
      return false
    }
    let (left, overflow) = keptUntil.subtractingReportingOverflow(now)
    return overflow || left < (keptSeconds ?? 2 * Self.warningSeconds) / 2
  }

  /// Notes until when the deployment keeps the access token.
  package mutating func note(_ key: DeploymentAPI.KeptKey) {
    keptUntil = key.until
    keptSeconds = key.seconds
  }
}

extension SessionServices {
  /// Asks the deployment until when it keeps a pasted token, and keeps what it says.
  ///
  /// Deployments prolong a token that is used, unless they are told not to, and this is a use: no
  /// running tool notices, as it would a new token.
  ///
  /// - Returns: the session with what the deployment said; as it was when it said nothing, or when
  ///   another process has changed it.
  /// - Throws: ``SessionError/store(_:)``; what the lock throws.
  package func prolonged(_ session: StoredSession) throws(SessionError) -> StoredSession {
    guard
      let api = try? api(of: session.deployment, urgency: .personWaits),
      let key = api.keptKey(of: session.accessToken)
    else { return session }
    var prolonged = session
    prolonged.note(key)
    guard prolonged != session else { return session }
    return try withLock(of: session) { store throws(StoreError) in
      try store.replace(session, with: prolonged) ? prolonged : session
    }
  }
}
