public import HTTP

/// What came of asking for tokens while a person decides (RFC 8628 §3.5).
public enum DeviceTokenOutcome: Sendable {
  /// The person has allowed it.
  case issued(TokenResponse)
  /// The person has not decided yet.
  case pending
  /// The same, and the server wants to be asked less often.
  case slowDown
}

extension TokenEndpoint {
  /// Asks for the tokens of a device authorization.
  ///
  /// - Parameters:
  ///   - authorization: the codes.
  ///   - scope: the scope that was asked for, which a response without one has granted.
  ///   - client: the HTTP client.
  ///   - now: the time in Unix seconds.
  /// - Returns: the tokens, or that there are none yet.
  /// - Throws: `denied` when the person declined, `timedOut` when the codes are no longer good;
  ///   `refused`, `redirected`, `unavailable`, `malformed` or `transport`.
  public func tokens(
    of authorization: DeviceAuthorization, scope: String?, client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> DeviceTokenOutcome {
    var form = FormBody()
    form.append("grant_type", DeviceAuthorization.grantType)
    form.append("device_code", authorization.deviceCode)
    let response = try endpoint.exchange(form, as: authentication, client: client)
    guard !response.isSuccess else {
      return .issued(try TokenResponse(response, requestedScope: scope, now: now))
    }
    let error = OAuthError(response, now: now)
    guard case .refused(let refusal, _) = error else { throw error }
    switch refusal.code {
    case "authorization_pending": return .pending
    case "slow_down": return .slowDown
    case ErrorResponse.accessDenied: throw .denied(reason: refusal.description)
    case "expired_token": throw .timedOut
    default: throw error
    }
  }
}

extension OAuthError {
  /// Whether a server that offers the device grant does not let this client use it.
  public var isDeviceGrantRefused: Bool {
    switch self {
    case .refused(let response, _):
      [ErrorResponse.unauthorizedClient, ErrorResponse.unsupportedGrantType].contains(response.code)
    case .unavailable(let status, _, _): [404, 405, 410, 501].contains(status)
    case .foreignEndpoint: true
    default: false
    }
  }
}
