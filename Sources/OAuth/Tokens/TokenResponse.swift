public import Secrets

/// Tokens as a server issues them, checked (RFC 6749 §5.1).
public struct TokenResponse: Sendable, Hashable {
  /// The access token: at most 8 KiB of visible ASCII without `"` and `\`.
  public let accessToken: Secret
  /// Always `Bearer`.
  public let tokenType: String
  /// When the access token expires, in Unix seconds; nil when the server does not say.
  public let expiresAt: Int64?
  /// The refresh token, of the same characters; nil when none came.
  public let refreshToken: Secret?
  /// The scope granted; nil when the server does not say.
  public let scope: String?

  /// Makes a response from its parts.
  public init(
    accessToken: Secret, tokenType: String = "Bearer", expiresAt: Int64? = nil,
    refreshToken: Secret? = nil, scope: String? = nil
  ) {
    self.accessToken = accessToken
    self.tokenType = tokenType
    self.expiresAt = expiresAt
    self.refreshToken = refreshToken
    self.scope = scope
  }

  /// Reads and checks the body of a successful answer.
  ///
  /// - Parameters:
  ///   - body: the body, JSON.
  ///   - now: the time in Unix seconds at which the answer arrived.
  /// - Throws: `unavailable` for what is no answer at all, `refused` for an OAuth error in disguise,
  ///   `malformed` for what cannot be used.
  public init(body: [UInt8], now: Int64) throws(OAuthError) {
    // A proxy's or a dashboard's page says nothing about the grant.
    guard let object = JSONObject(body) else {
      throw .unavailable(
        status: 200, reason: "the token answer is not a JSON object", retryAfter: nil)
    }
    // RFC 6749 §5.2 wants status 400 for an error; some servers put one into a 200.
    if let error = ErrorResponse(object) {
      throw error.isTemporary
        ? .unavailable(status: 200, reason: error.description, retryAfter: nil)
        : .refused(error, status: 200)
    }
    func token(_ name: String) throws(OAuthError) -> Secret? {
      guard let value = try object.string(name), !value.isEmpty else { return nil }
      guard TokenSyntax.isWord(value) else {
        throw .malformed("the \(name) holds unusable characters or is too long")
      }
      return Secret(value)
    }
    guard let accessToken = try token("access_token") else {
      throw .malformed("the token answer lacks access_token")
    }
    // RFC 6749 §5.1 token_type: "REQUIRED. The type of the token issued as described in
    // Section 7.1. Value is case insensitive."
    guard try object.string("token_type")?.lowercased() == "bearer" else {
      throw .malformed("the token answer is not of type Bearer")
    }
    // By now the old refresh token may be spent: nothing less than a token is worth losing the
    // new one for, so odd lifetimes and scopes are passed over.
    var scope: String?
    if case .string(let text) = object["scope"], TokenSyntax.isScope(text) { scope = text }
    self.init(
      accessToken: accessToken, expiresAt: Expiry.seconds(object, now: now),
      refreshToken: try token("refresh_token"), scope: scope)
  }

  /// The same tokens, with a refresh token to fall back on when the server sent none.
  ///
  /// RFC 6749 §6: "The authorization server MAY issue a new refresh token, in which case the client
  /// MUST discard the old refresh token and replace it with the new refresh token."
  public func keeping(refreshToken old: Secret?) -> TokenResponse {
    TokenResponse(
      accessToken: accessToken, tokenType: tokenType, expiresAt: expiresAt,
      refreshToken: refreshToken ?? old, scope: scope)
  }
}
