package import Credentials

extension StoredSession {
  /// How long before a session's end a person is told, in seconds: days, so that they can sign in
  /// again when it suits them.
  private static let warningSeconds: Int64 = 2 * 86_400
  /// How long deployments keep a refresh token after its access token has expired, in seconds,
  /// whatever lifetime they promise.
  private static let idleSeconds: Int64 = 7 * 86_400

  /// From when on only a new sign-in helps, unless the session is refreshed before, in Unix seconds;
  /// nil when nobody knows.
  package var endsAt: Int64? {
    guard method != .basic, let expiresAt else { return nil }
    guard method == .oauth, refreshToken != nil else { return expiresAt }
    let (end, overflow) = expiresAt.addingReportingOverflow(Self.idleSeconds)
    return overflow ? nil : end
  }

  /// Whether a person should be told of the end at the Unix time `now`: it is days away, or less.
  package func endsSoon(now: Int64) -> Bool {
    guard let endsAt, !hasEnded(now: now) else { return false }
    let (left, overflow) = endsAt.subtractingReportingOverflow(now)
    return !overflow && (0...Self.warningSeconds).contains(left)
  }
}
