public import HTTP
public import Secrets

/// Where grants become tokens (RFC 6749 §3.2).
public struct TokenEndpoint: Sendable, Hashable {
  /// The address, checked a moment ago.
  public let endpoint: TrustedEndpoint
  /// How the client proves itself.
  public let authentication: ClientAuthentication

  /// Names an endpoint and the client that will speak to it.
  public init(_ endpoint: TrustedEndpoint, authentication: ClientAuthentication) {
    self.endpoint = endpoint
    self.authentication = authentication
  }

  /// Exchanges a code for tokens (RFC 6749 §4.1.3).
  ///
  /// - Parameters:
  ///   - code: the authorization code.
  ///   - redirectURI: the redirect URI of the authorization request.
  ///   - verifier: the secret half of the proof key.
  ///   - scope: the scope of the authorization request, which a response without one has granted.
  ///   - resource: the resource of the authorization request, if it had one.
  ///   - client: the HTTP client.
  ///   - now: the time in Unix seconds.
  /// - Returns: the tokens.
  /// - Throws: `refused`, `redirected`, `unavailable`, `malformed` or `transport`.
  public func exchange(
    code: Secret, redirectURI: String, verifier: CodeVerifier, scope: String? = nil,
    resource: String? = nil, client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> TokenResponse {
    try send(
      .authorizationCode(
        code: code, redirectURI: redirectURI, verifier: verifier, resource: resource),
      scope: scope, client: client, now: now)
  }

  /// Spends a refresh token (RFC 6749 §6).
  ///
  /// The response may lack a refresh token: see ``TokenResponse/keeping(refreshToken:)``.
  ///
  /// - Parameters:
  ///   - refreshToken: the refresh token.
  ///   - scope: a narrower scope; nil keeps what was granted.
  ///   - resource: the resource of the authorization request, if it had one.
  ///   - client: the HTTP client.
  ///   - now: the time in Unix seconds.
  /// - Returns: the tokens.
  /// - Throws: `refused`, `redirected`, `unavailable`, `malformed` or `transport`;
  ///   ``OAuthError/grantState`` says what has become of the refresh token.
  public func refresh(
    _ refreshToken: Secret, scope: String? = nil, resource: String? = nil,
    client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> TokenResponse {
    try send(
      .refreshToken(refreshToken, scope: scope, resource: resource), scope: scope, client: client,
      now: now)
  }

  private func send(
    _ request: TokenRequest, scope: String?, client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> TokenResponse {
    let response = try endpoint.exchange(request.form, as: authentication, client: client)
    // RFC 6749 §5.1 wants status 200. Some servers send 201; the tokens are as good.
    guard response.isSuccess else { throw OAuthError(response, now: now) }
    do {
      return try TokenResponse(response, requestedScope: scope, now: now)
    } catch {
      guard let cutOff = response.http.cutOff else { throw error }
      throw .transport(cutOff)
    }
  }
}
