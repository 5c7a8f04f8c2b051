import HTTP
package import OAuth

/// What a failed refresh says about the refresh token that was sent.
package enum RefreshOutcome: Equatable, Sendable {
  /// The deployment refused it: the session is over.
  case sessionEnded
  /// It is as good as before.
  case refreshTokenUnspent
  /// The response was lost: it may be spent.
  case unknown
}

extension OAuthError {
  /// What this failure of a refresh says about the refresh token.
  ///
  /// RFC 6749 §5.2: errors come with "an HTTP 400 (Bad Request) status code", or 401 for
  /// `invalid_client`. No other response is a verdict on the session.
  package var refreshOutcome: RefreshOutcome {
    switch self {
    case .refused(let response, status: 400), .refused(let response, status: 401):
      [ErrorResponse.invalidGrant, ErrorResponse.invalidClient].contains(response.code)
        ? .sessionEnded : .refreshTokenUnspent
    case .unavailable(let status, _, _):
      (400..<500).contains(status) ? .refreshTokenUnspent : .unknown
    case .transport(.unreachable), .transport(.timedOut), .transport(.broken),
      .transport(.tooLarge), .malformed, .refused:
      .unknown
    default: .refreshTokenUnspent
    }
  }

  /// Whether the server no longer knows the client, or its secret.
  package var isClientRefused: Bool {
    guard case .refused(let response, _) = self else { return false }
    return response.code == ErrorResponse.invalidClient
  }

  /// Whether the server knows no such code or refresh token.
  package var isGrantRefused: Bool {
    guard case .refused(let response, _) = self else { return false }
    return response.code == ErrorResponse.invalidGrant
  }

  /// Whether the deployment, or the way to it, is in trouble, rather than something of our own.
  package var isOfDeployment: Bool {
    switch self {
    case .transport(.refusedURL), .transport(.foreignServer), .transport(.misconfigured),
      .transport(.libraryUnusable):
      false
    default: true
    }
  }

  /// How long the server asks to be left alone, in seconds.
  package var retryAfterSeconds: Int64? {
    if case .unavailable(_, _, let seconds) = self { seconds } else { nil }
  }

  /// Whether trying again later may help.
  package var isTransient: Bool {
    switch self {
    case .transport(.refusedURL), .transport(.foreignServer), .transport(.misconfigured),
      .transport(.libraryUnusable):
      false
    case .transport, .unavailable: true
    default: false
    }
  }
}
