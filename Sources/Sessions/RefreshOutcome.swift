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
  /// What this failure of a refresh says about the session.
  package var refreshOutcome: RefreshOutcome {
    switch grantState {
    case .dead: .sessionEnded
    case .unspent: .refreshTokenUnspent
    case .unknown: .unknown
    }
  }

  /// Whether the deployment, or the way to it, is in trouble, rather than something of our own.
  package var isOfDeployment: Bool {
    switch self {
    case .transport(.refusedURL), .transport(.misconfigured), .foreignEndpoint: false
    default: true
    }
  }
}
