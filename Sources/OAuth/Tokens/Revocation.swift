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

  /// The revocation endpoint, from checked metadata.
  public let endpoint: String
  /// How the client proves itself.
  public let authentication: ClientAuthentication

  /// Names an endpoint and the client that will speak to it.
  public init(endpoint: String, authentication: ClientAuthentication) {
    self.endpoint = endpoint
    self.authentication = authentication
  }

  /// Revokes a token. A token the server does not know counts as revoked.
  ///
  /// - Parameters:
  ///   - token: the token.
  ///   - hint: its kind.
  ///   - client: the way to the network.
  ///   - now: the time in Unix seconds.
  /// - Throws: `refused`, `unavailable` or `transport`; the token may then still be good.
  public func revoke(
    _ token: Secret, hint: TokenTypeHint, client: any HTTPClient, now: Int64
  ) throws(OAuthError) {
    var answer = try client.exchange(request(token, hint, authentication))
    // A client is registered with the way it authenticates at the token endpoint; here a server may
    // want another (RFC 8414 §2 revocation_endpoint_auth_methods_supported). RFC 6749 §2.3.1: "The
    // authorization server MUST support the HTTP Basic authentication scheme for authenticating
    // clients that were issued a client password."
    if answer.status == 401, case .post(let id, let secret) = authentication {
      answer = try client.exchange(request(token, hint, .basic(id: id, secret: secret)))
    }
    // RFC 7009 §2.2: "The authorization server responds with HTTP status code 200 if the token has
    // been revoked successfully or if the client submitted an invalid token."
    guard answer.status == 200 else { throw OAuthError(answer: answer, now: now) }
  }

  private func request(
    _ token: Secret, _ hint: TokenTypeHint, _ authentication: ClientAuthentication
  ) -> HTTPRequest {
    var form = FormBody()
    form.append("token", token)
    form.append("token_type_hint", hint.rawValue)
    authentication.complete(&form)
    return form.request(to: endpoint, authorization: authentication.authorization)
  }
}
