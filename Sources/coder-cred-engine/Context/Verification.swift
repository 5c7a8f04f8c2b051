import Credentials
import Sessions

/// `--verify`: a token that the deployment was asked about.
extension CommandContext {
  /// A session whose token the deployment accepts, or cannot be asked about just now.
  ///
  /// A refusal is remembered in the keyring until the token changes: later calls do not take it for
  /// good. That the token was not refused is counted for a minute (``VerificationHistory``).
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
    let files = VerificationHistoryFiles(directory: directory)
    var checks = files.history(of: session.identity)
    guard checks.mayAsk(about: session.accessToken, now: clock.uptimeMilliseconds) else {
      trace("\(session.deployment.url) was asked often enough whether the token works")
      return session
    }
    guard try isRejected(session, services) else {
      checks.note(session.accessToken, now: clock.uptimeMilliseconds)
      files.save(checks, of: session.identity)
      return session
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

  /// Asks the deployment about the session's token.
  private func isRejected(
    _ session: StoredSession, _ services: SessionServices
  ) throws -> Bool {
    let deployment = session.deployment
    switch try services.api(of: deployment, urgency: .callerCanDoWithout).check(session.accessToken)
    {
    case .works: return false
    case .rejected: return true
    case .unclear(let status):
      trace("\(deployment.url) does not say whether the token works (HTTP \(status))")
    case .noResponse(let reason):
      trace("\(deployment.url) does not say whether the token works: \(reason)")
    }
    return false
  }
}
