import HTTP

/// What the flows want to know about a failure.
extension OAuthError {
  /// What a failed request says about the refresh token or code that it carried.
  public enum GrantState: Sendable {
    /// The server has not used it: it is as good as before.
    case unspent
    /// The server says that it is not good, or no longer.
    case dead
    /// The response was lost or cannot be understood: the grant may have been used.
    case unknown
  }

  /// What has become of the refresh token or code.
  ///
  /// RFC 6749 §5.2: errors come with "an HTTP 400 (Bad Request) status code", or 401 for
  /// `invalid_client`. Whatever else happens decides nothing.
  public var grantState: GrantState {
    switch self {
    case .refused(let response, status: 400), .refused(let response, status: 401):
      response.code == ErrorResponse.invalidGrant
        ? .dead : response.isKnown ? .unspent : .unknown
    case .unavailable(let status, _, _): (400..<500).contains(status) ? .unspent : .unknown
    case .redirected: .unspent
    case .transport(let error): error.wasCertainlyNotSent ? .unspent : .unknown
    // An error in a 200, and tokens that cannot be used.
    case .refused, .malformed: .unknown
    default: .unspent
    }
  }

  /// Whether the server says that it does not know the client, or that its secret is wrong. Which
  /// of the two, and whether for good, ``ClientRegistration/read(policy:client:now:)`` finds out.
  public var isClientRefused: Bool {
    guard case .refused(let response, let status) = self else { return false }
    return response.isAboutAuthentication(status: status)
  }

  /// Whether the server knows no such code or refresh token.
  public var isGrantRefused: Bool {
    guard case .refused(let response, _) = self else { return false }
    return response.code == ErrorResponse.invalidGrant
  }

  /// Whether the server refuses the grant in a form that does not say what has become of it: a code of
  /// its own, a status that carries no verdict, or no words at all. It may be over all the same.
  public var isUnclearRefusal: Bool {
    switch self {
    case .refused: !isGrantRefused || grantState != .dead
    case .unavailable(let status, _, _):
      (400..<500).contains(status) && ![408, 425, 429].contains(status)
    case .redirected, .malformed: true
    default: false
    }
  }

  /// Whether only the way to the server or its present state is at fault, so that trying again may
  /// help.
  public var isTransient: Bool {
    switch self {
    case .transport(.refusedURL), .transport(.foreignServer), .transport(.misconfigured),
      .transport(.libraryUnusable):
      false
    // A portal redirects, too.
    case .transport, .unavailable, .redirected: true
    default: false
    }
  }

  /// Whether a code may be sent to the token endpoint again: the server was not there for it, and
  /// there is nothing to lose. A code that was used after all is refused.
  public var mayRepeatExchange: Bool {
    switch self {
    case .transport(.unreachable), .transport(.timedOut), .transport(.broken): true
    case .unavailable(let status, _, _): status == 408 || status == 429 || status >= 500
    default: false
    }
  }

  /// Whether there is no such endpoint at this address any more, so that the metadata should be
  /// read anew.
  public var isEndpointGone: Bool {
    switch self {
    case .unavailable(let status, _, _): [404, 405, 410].contains(status)
    case .redirected: true
    default: false
    }
  }

  /// How long the server asks to be left alone, in seconds.
  public var retryAfter: Int64? {
    if case .unavailable(_, _, let seconds) = self { seconds } else { nil }
  }

  /// Whether the metadata belongs to the very deployment asked for but for `http` in place of
  /// `https`: behind a proxy that ends TLS, the server does not know its own address.
  public var isIssuerWithoutTLS: Bool {
    guard case .issuerMismatch(let expected, let found) = self,
      let expected = Endpoint(expected), let found = Endpoint(found)
    else { return false }
    return expected.origin.scheme == "https" && found.origin.scheme == "http"
      && expected.origin.host == found.origin.host && expected.directory == found.directory
  }
}

extension ErrorResponse {
  /// Whether a specification defines the code for a token endpoint, so that it says what has become
  /// of the grant.
  fileprivate var isKnown: Bool {
    [
      Self.invalidClient, Self.invalidGrant, Self.invalidRequest, Self.invalidScope,
      Self.invalidTarget, Self.unauthorizedClient, Self.unsupportedGrantType,
    ].contains(code)
  }
}
