public import Secrets

/// Tokens as a server issues them (RFC 6749 §5.1).
///
/// By the time they arrive, the code or refresh token they were issued for is spent: to refuse them
/// would lose the session. So a response with an access token that can be kept is a success,
/// whatever else about it is odd; what cannot be understood is left out and named in ``oddities``.
public struct TokenResponse: Sendable, Hashable {
  /// The access token: at most 24 KiB of visible ASCII without `"` and `\`.
  public let accessToken: Secret
  /// Always `Bearer`: we know no other way to use a token.
  public let tokenType: String
  /// When the access token expires, in Unix seconds; nil when the server does not say.
  public let expiresAt: Int64?
  /// The refresh token, of the same characters; nil when none came.
  public let refreshToken: Secret?
  /// The scope granted; nil when neither the server nor the request says.
  public let scope: String?
  /// What was wrong with the response, in words fit to be shown; empty as a rule.
  public let oddities: [String]

  /// Makes a response from its parts.
  public init(
    accessToken: Secret, tokenType: String = "Bearer", expiresAt: Int64? = nil,
    refreshToken: Secret? = nil, scope: String? = nil, oddities: [String] = []
  ) {
    self.accessToken = accessToken
    self.tokenType = tokenType
    self.expiresAt = expiresAt
    self.refreshToken = refreshToken
    self.scope = scope
    self.oddities = oddities
  }

  /// Reads a successful response.
  ///
  /// - Parameters:
  ///   - response: the response, of status 2xx.
  ///   - requestedScope: the scope that was asked for.
  ///   - now: the time in Unix seconds at which it arrived.
  /// - Throws: `unavailable` for what holds neither tokens nor an error, `refused` for an OAuth
  ///   error without tokens, `malformed` for an access token that cannot be kept.
  init(_ response: ServerResponse, requestedScope: String?, now: Int64) throws(OAuthError) {
    guard let object = JSONObject(given: response.http) else {
      throw .unavailable(
        status: response.status, reason: "the token response holds no tokens", retryAfter: nil)
    }
    guard object["access_token"] != nil else { throw Self.failure(object, response) }
    guard let accessToken = Self.token("access_token", of: object) else {
      throw .malformed("the access_token holds unusable characters or is too long")
    }
    var oddities: [String] = []
    if let error = ErrorResponse(object, of: response) {
      oddities.append("the deployment sent tokens and an error: \(error.summary)")
    }
    // RFC 6749 §5.1 token_type: "Value is case insensitive." A server that leaves it out can only
    // mean Bearer; one that names another type may still take the token as one.
    if let type = object["token_type"], !Self.isBearer(type) {
      oddities.append("the deployment issued a token of another type than Bearer")
    }
    let refreshToken = Self.token("refresh_token", of: object)
    if refreshToken == nil, object["refresh_token"] != nil {
      oddities.append("the deployment sent a refresh token that cannot be kept")
    }
    // RFC 6749 §5.1 scope: "OPTIONAL, if identical to the scope requested by the client;
    // otherwise, REQUIRED."
    self.init(
      accessToken: accessToken, expiresAt: Expiry.seconds(object, now: now),
      refreshToken: refreshToken, scope: Self.scope(object["scope"]) ?? requestedScope,
      oddities: oddities)
  }

  private static func failure(_ object: JSONObject, _ response: ServerResponse) -> OAuthError {
    guard let error = ErrorResponse(object, of: response) else {
      return .unavailable(
        status: response.status, reason: "the token response holds no tokens", retryAfter: nil)
    }
    return error.isTemporary
      ? .unavailable(status: response.status, reason: error.description, retryAfter: nil)
      : .refused(error, status: response.status)
  }

  /// The token of this name, the last that can be kept where it is repeated. The scheme of the header
  /// field that it goes into may stand before it.
  private static func token(_ name: String, of object: JSONObject) -> Secret? {
    for member in object.members.reversed() where member.name == name {
      guard case .string(let text) = member.value else { continue }
      let isPrefixed = text.prefix(7).lowercased() == "bearer "
      let token = isPrefixed ? text.dropFirst(7) : text[...]
      if TokenSyntax.isWord(String(token)) { return Secret(String(token)) }
    }
    return nil
  }

  private static func isBearer(_ type: JSONValue) -> Bool {
    guard case .string(let name) = type else { return false }
    return name.lowercased() == "bearer"
  }

  /// A scope, also as a list of its words.
  private static func scope(_ value: JSONValue?) -> String? {
    let text: String
    switch value {
    case .string(let string): text = string
    case .array(let values):
      text = values.compactMap { if case .string(let word) = $0 { word } else { nil } }
        .joined(separator: " ")
    default: return nil
    }
    return TokenSyntax.isScope(text) ? text : nil
  }

  /// The same tokens, with a refresh token to fall back on when the server sent none.
  ///
  /// RFC 6749 §6: "The authorization server MAY issue a new refresh token, in which case the client
  /// MUST discard the old refresh token and replace it with the new refresh token."
  public func keeping(refreshToken old: Secret?) -> TokenResponse {
    TokenResponse(
      accessToken: accessToken, tokenType: tokenType, expiresAt: expiresAt,
      refreshToken: refreshToken ?? old, scope: scope, oddities: oddities)
  }
}
