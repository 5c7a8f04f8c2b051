public import HTTP
public import Secrets

/// Ending a token at the server (RFC 7009).
public struct Revocation: Sendable, Hashable {
  /// What kind of token is to be revoked (RFC 7009 §2.1 `token_type_hint`).
  public enum TokenTypeHint: String, Sendable {
    /// An access token.
    case accessToken = "access_token"
    /// A refresh token; deployments end its access token with it.
    case refreshToken = "refresh_token"
  }

  /// The revocation endpoint, checked a moment ago.
  public let endpoint: TrustedEndpoint
  /// How the client proves itself.
  public let authentication: ClientAuthentication

  /// Names an endpoint and the client that will speak to it.
  public init(_ endpoint: TrustedEndpoint, authentication: ClientAuthentication) {
    self.endpoint = endpoint
    self.authentication = authentication
  }

  /// Revokes both tokens of a session, the refresh token first.
  ///
  /// Where the server cannot revoke refresh tokens, the access token is revoked all the same, and
  /// then the server's refusal is thrown: the refresh token is still good.
  ///
  /// - Parameters:
  ///   - accessToken: the access token.
  ///   - refreshToken: the refresh token, if there is one.
  ///   - client: the HTTP client.
  ///   - now: the time in Unix seconds.
  /// - Throws: as ``revoke(_:hint:client:now:)``.
  public func revoke(
    accessToken: Secret, refreshToken: Secret?, client: any HTTPClient, now: Int64
  ) throws(OAuthError) {
    var refusal: OAuthError?
    if let refreshToken {
      do throws(OAuthError) {
        try revoke(refreshToken, hint: .refreshToken, client: client, now: now)
      } catch {
        // RFC 7009 §2.2.1 unsupported_token_type: "The authorization server does not support the
        // revocation of the presented token type."
        guard case .refused(let response, _) = error,
          response.code == ErrorResponse.unsupportedTokenType
        else { throw error }
        refusal = error
      }
    }
    try revoke(accessToken, hint: .accessToken, client: client, now: now)
    if let refusal { throw refusal }
  }

  /// Revokes a token. A token the server does not know counts as revoked.
  ///
  /// - Parameters:
  ///   - token: the token.
  ///   - hint: its kind.
  ///   - client: the HTTP client.
  ///   - now: the time in Unix seconds.
  /// - Throws: `refused`, `redirected`, `unavailable` (503 with what the server asks to wait) or
  ///   `transport`; the token may then still be good.
  public func revoke(
    _ token: Secret, hint: TokenTypeHint, client: any HTTPClient, now: Int64
  ) throws(OAuthError) {
    var form = FormBody()
    form.append("token", token)
    form.append("token_type_hint", hint.rawValue)
    let response = try endpoint.exchange(form, as: authentication, client: client)
    // RFC 7009 §2.2: "The authorization server responds with HTTP status code 200 if the token has
    // been revoked successfully or if the client submitted an invalid token." Some say 204.
    guard response.isSuccess else { throw OAuthError(response, now: now) }
  }
}
