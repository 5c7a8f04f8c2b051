public import HTTP
public import Secrets

/// Where grants become tokens (RFC 6749 §3.2).
public struct TokenEndpoint: Sendable, Hashable {
  /// The URL, from checked metadata.
  public let url: String
  /// How the client proves itself.
  public let authentication: ClientAuthentication

  /// Names an endpoint and the client that will speak to it.
  public init(url: String, authentication: ClientAuthentication) {
    self.url = url
    self.authentication = authentication
  }

  /// Exchanges a code for tokens (RFC 6749 §4.1.3).
  ///
  /// - Parameters:
  ///   - code: the authorization code.
  ///   - redirectURI: the redirect URI of the authorization request.
  ///   - verifier: the secret half of the proof key.
  ///   - resource: the resource of the authorization request, if it had one.
  ///   - client: the way to the network.
  ///   - now: the time in Unix seconds.
  /// - Returns: the tokens.
  /// - Throws: `refused`, `unavailable`, `malformed` or `transport`.
  public func exchange(
    code: Secret, redirectURI: String, verifier: CodeVerifier, resource: String? = nil,
    client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> TokenResponse {
    try send(
      .authorizationCode(
        code: code, redirectURI: redirectURI, verifier: verifier, resource: resource),
      client: client, now: now)
  }

  /// Spends a refresh token (RFC 6749 §6).
  ///
  /// The answer may lack a refresh token: see ``TokenResponse/keeping(refreshToken:)``.
  ///
  /// - Parameters:
  ///   - refreshToken: the refresh token.
  ///   - scope: a narrower scope; nil keeps what was granted.
  ///   - resource: the resource of the authorization request, if it had one.
  ///   - client: the way to the network.
  ///   - now: the time in Unix seconds.
  /// - Returns: the tokens.
  /// - Throws: `refused` (`invalid_grant` when the session is over), `unavailable`, `malformed` or
  ///   `transport`.
  public func refresh(
    _ refreshToken: Secret, scope: String? = nil, resource: String? = nil,
    client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> TokenResponse {
    try send(
      .refreshToken(refreshToken, scope: scope, resource: resource), client: client, now: now)
  }

  private func send(
    _ request: TokenRequest, client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> TokenResponse {
    let answer = try client.exchange(
      request.httpRequest(endpoint: url, authentication: authentication))
    // RFC 6749 §5.1: "The authorization server issues an access token and optional refresh token,
    // and constructs the response by adding the following parameters to the entity-body of the
    // HTTP response with a 200 (OK) status code"
    guard answer.status == 200 else { throw OAuthError(answer: answer, now: now) }
    return try TokenResponse(body: answer.body, now: now)
  }
}
