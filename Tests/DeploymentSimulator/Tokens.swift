import Foundation

/// Why a token request is refused.
struct TokenFailure: Error {
  var response: Response

  init(_ response: Response) { self.response = response }

  init(_ code: String, _ description: String) {
    response = .oauthError(400, code, description)
  }

  static let grant = TokenFailure(
    "invalid_grant", "The refresh token is invalid or expired")
  static let code = TokenFailure(
    "invalid_grant", "The authorization code is invalid or expired")
  static let verifier = TokenFailure("invalid_grant", "The PKCE code verifier is invalid")
  static let target = TokenFailure(
    "invalid_target", "The resource does not match the authorization")
  static let redirect = TokenFailure(
    "invalid_grant", "The redirect_uri does not match the authorization")

  static func missing(_ name: String) -> TokenFailure {
    TokenFailure("invalid_request", "Missing required parameter: \(name)")
  }
}

enum TokenRules {
  static let parameters = [
    "grant_type", "client_id", "client_secret", "code", "redirect_uri", "refresh_token",
    "code_verifier", "resource", "scope", "device_code",
  ]

  /// RFC 7636 section 4.1: 43 to 128 unreserved characters, of verifier and challenge alike.
  static func isVerifier(_ text: String) -> Bool {
    (43...128).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
          UInt8(ascii: "_"), UInt8(ascii: "~"):
          true
        default: false
        }
      }
  }
}

extension ServerState {
  mutating func tokens(_ request: Request) -> Response {
    guard request.method == "POST" else { return .empty(405) }
    do throws(TokenFailure) {
      try checkSize(request)
      let client = try presentedClient(request)
      let secret = try presentedSecret(request)
      let grant = try grantType(request)
      try checkParameters(request)
      return switch grant {
      case DeviceCode.grantType: try exchangeDeviceCode(request, client, secret)
      case "refresh_token": try refresh(request, client, secret)
      default: try exchange(request, client, secret)
      }
    } catch {
      return error.response
    }
  }

  /// Shared with revocation.
  func checkSize(_ request: Request) throws(TokenFailure) {
    guard era == .c, request.body.count > settings.bodyLimit else { return }
    throw TokenFailure(
      .oauthError(
        413, "invalid_request", "The request body exceeds \(settings.bodyLimit) bytes"))
  }

  /// The client named by the query, the form or the Basic user name, in this order.
  func presentedClient(_ request: Request) throws(TokenFailure) -> OAuthClient {
    if era == .c && request.query.has("client_secret") {
      throw TokenFailure("invalid_request", "client_secret must not be sent in the URL")
    }
    let named = request.query["client_id"] ?? request.form["client_id"] ?? request.basic?.user
    guard let named, !named.isEmpty else {
      throw TokenFailure("invalid_request", "Missing client_id parameter")
    }
    guard let id = UUID(uuidString: named)?.uuidString.lowercased(), let client = clients[id] else {
      throw invalidClient
    }
    return client
  }

  var invalidClient: TokenFailure {
    let response = Response.oauthError(
      401, "invalid_client", "The client credentials are invalid")
    guard era == .c else { return TokenFailure(response) }
    return TokenFailure(response.adding("WWW-Authenticate", "Basic realm=\"coder\""))
  }

  func presentedSecret(_ request: Request) throws(TokenFailure) -> String? {
    let form = request.form
    guard let basic = request.basic else { return form["client_secret"] }
    let id = form["client_id"] ?? request.query["client_id"]
    let secret = form["client_secret"]
    guard id == nil || id == basic.user, secret == nil || secret == basic.password else {
      throw TokenFailure("invalid_request", "The client credentials in header and body differ")
    }
    return basic.password.isEmpty ? secret : basic.password
  }

  private func grantType(_ request: Request) throws(TokenFailure) -> String {
    let grant = request.form["grant_type"] ?? ""
    let isRepeated = era == .c && request.form.isRepeated("grant_type")
    let isDevice = settings.deviceGrantOffered && grant == DeviceCode.grantType
    guard !isRepeated, isDevice || ["authorization_code", "refresh_token"].contains(grant) else {
      throw TokenFailure("unsupported_grant_type", "The grant type is not supported")
    }
    return grant
  }

  private func checkParameters(_ request: Request) throws(TokenFailure) {
    if let name = request.form.repeated(of: TokenRules.parameters) {
      throw TokenFailure("invalid_request", "Parameter \(name) was provided more than once")
    }
    if era < .c, let name = request.form.unknown(beside: TokenRules.parameters) {
      throw TokenFailure("invalid_request", "Parameter \(name) is not a valid parameter")
    }
  }

  /// Constant time is of no concern to a simulator; sameness is.
  func isAuthentic(_ secret: String, of client: OAuthClient) -> Bool {
    client.secrets.contains(secret)
  }

  /// Mints the pair and states it. One pair per person and client: an older one dies here.
  mutating func mint(
    user: String, client: OAuthClient, secret: String?, keyScopes: [String]?,
    grantScopes: [String]?, audience: String?
  ) -> Response {
    deleteGrant(user: user, client: client.id)
    let lifetime = settings.accessTokenLifetime
    let key = addKey(
      user: user, lifetime: lifetime, client: client.id, clientSecret: secret,
      scopes: era == .c ? keyScopes : nil, audience: audience)
    let refreshLifetime =
      settings.refreshTokenLifetime == 0 ? lifetime : settings.refreshTokenLifetime
    let refresh = RefreshToken(
      token: prefixedSecret(), key: key.id, user: user, client: client.id, clientSecret: secret,
      expiresAt: now + Double(refreshLifetime), scopes: grantScopes, audience: audience)
    refreshTokens[refresh.token] = refresh
    var members: JSON = [
      "access_token": .string(key.token), "token_type": "Bearer",
      "expires_in": .integer(lifetime), "refresh_token": .string(refresh.token),
      "expiry": .string(Moment.rfc3339(key.expiresAt)),
    ]
    if era == .c {
      let scopes = keyScopes ?? [Scopes.everything]
      members.set("scope", .string(scopes.joined(separator: " ")))
    }
    return .json(200, members)
  }
}
