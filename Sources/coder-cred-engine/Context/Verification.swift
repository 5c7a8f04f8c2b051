import Credentials
import Sessions

/// `--verify`: a token that the deployment was asked about.
extension CommandContext {
  /// A session whose token the deployment accepts, or cannot be asked about just now.
  ///
  /// A refusal is remembered in the keyring until the token changes: later calls do not take it for
  /// good.
  ///
  /// - Parameters:
  ///   - session: a session that is fresh by all that is known here.
  ///   - options: whether it may be refreshed.
  /// - Returns: the session given, or the one that a refresh made of it.
  /// - Throws: what a refresh throws, and ``SessionError/signInNeeded(_:_:)`` where there is none.
  func verified(
    _ session: StoredSession, _ options: CredentialOptions
  ) throws -> StoredSession {
    guard session.isForDeployment, session.deployment.isHTTP else { return session }
    let services = try services()
    // A deployment in trouble is left alone.
    let history = services.history.history(of: session.identity)
    guard history.wait(now: clock.uptimeMilliseconds) == nil else { return session }
    switch try services.api(of: session.deployment, urgency: .callerCanDoWithout).check(
      session.accessToken)
    {
    case .works: return session
    case .unclear(let status):
      trace("\(session.deployment.url) does not say whether the token works (HTTP \(status))")
      return session
    case .noResponse(let reason):
      trace("\(session.deployment.url) does not say whether the token works: \(reason)")
      return session
    case .rejected: break
    }
    try services.noteRejection(of: session)
    guard session.method == .oauth, !options.noRefresh else {
      throw SessionError.signInNeeded(session.identity, .ended)
    }
    var rejected = session
    rejected.staleSince = clock.now
    let renewed = try refreshed(rejected, because: .rejection)
    guard renewed.accessToken != session.accessToken else {
      throw Failure(
        .retryLater, "\(session.deployment.url) rejects the token that it gave a moment ago",
        hint: "try again in half a minute")
    }
    return renewed
  }
}
