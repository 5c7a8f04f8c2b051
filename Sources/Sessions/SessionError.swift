package import Credentials
import HTTP
package import OAuth

/// Why a session could not be found, refreshed or ended.
package enum SessionError: Error, Equatable {
  /// The keyring refused.
  case store(StoreError)
  /// The deployment refused, or did not answer.
  case oauth(OAuthError, at: Deployment)
  /// The deployment refused the refresh without saying that the session is over, as it did before or
  /// while there is no access token alive: if it stays so, a new sign-in helps.
  case refusedUnclearly(SessionIdentity, OAuthError)
  /// Another process kept the session's lock for too long.
  case busy(holder: Int32?, waitedSeconds: Int)
  /// The lock's file does not serve.
  case lockUnusable(path: String, reason: String)
  /// There is no directory for locks that belongs to us alone.
  case noRuntimeDirectory
  /// A person must sign in again.
  case signInNeeded(SessionIdentity, SignInReason)
  /// The session was changed by another process, and what it holds now is not alive.
  case changedMeanwhile(SessionIdentity)
  /// The deployment is left alone after failures, and the access token is not alive.
  case leftAlone(SessionIdentity, failedSecondsAgo: Int64, nextTrySeconds: Int64)
  /// The same after such a refusal as ``refusedUnclearly(_:_:)``.
  case leftAloneAfterRefusal(SessionIdentity, failedSecondsAgo: Int64, nextTrySeconds: Int64)
  /// The access token is dead, and the caller forbids a refresh.
  case refreshForbidden(SessionIdentity)
  /// Several accounts fit equally.
  case severalAccounts(Deployment, [String])

  /// Why nothing but a new sign-in helps.
  package enum SignInReason: Equatable, Sendable {
    /// The session ended earlier: it has no live access token and no refresh token.
    case ended
    /// The deployment has just refused the refresh token.
    case refused
    /// The same, after a refresh whose response was lost.
    case refusedAfterInterruption
    /// The registration that the tokens were issued to is no longer here.
    case registrationGone
    /// The session was removed while we waited for it.
    case removed
  }
}

/// What a person should know although a session was handed out.
package enum SessionWarning: Equatable {
  /// The session was not refreshed, and what is left of it was handed out.
  case notRefreshed(SessionError)
  /// Another process is refreshing the session, and the token that it will replace was handed out.
  case beingReplaced(SessionError)
  /// The session was refreshed, and the keyring did not take the new tokens.
  case notSaved(StoreError)
  /// The deployment's response was used although it was odd, and how.
  case oddResponse(Deployment, String)
  /// This machine's clock differs from the deployment's by so many seconds, ahead of it if
  /// positive.
  case clockDiffers(Deployment, seconds: Int64)
}

extension SessionWarning {
  /// What to say about a session that was handed out although it could not be refreshed.
  static func handedOut(after error: SessionError) -> SessionWarning {
    if case .busy = error { .beingReplaced(error) } else { .notRefreshed(error) }
  }
}

extension OAuthError {
  /// Whether no part of the request can have reached the deployment.
  var wasCertainlyNotSent: Bool {
    if case .transport(let error) = self { error.wasCertainlyNotSent } else { false }
  }

  /// Whether the deployment, or the way to it, is in trouble, rather than something of our own.
  var isOfDeployment: Bool {
    switch self {
    case .transport(.refusedURL), .transport(.foreignServer), .transport(.misconfigured),
      .transport(.libraryUnusable), .foreignEndpoint:
      false
    default: true
    }
  }
}
