import Foundation

extension ServerState {
  /// RFC 7009.
  mutating func revoke(_ request: Request) -> Response {
    guard request.method == "POST" else {
      return .oauthError(405, "invalid_request", "Only POST is allowed")
    }
    do throws(TokenFailure) {
      try checkSize(request)
      let client = try presentedClient(request)
      let secret = try presentedSecret(request)
      // Before era C the client's name alone suffices.
      if era == .c && !client.isPublic {
        guard let secret, isAuthentic(secret, of: client) else { throw invalidClient }
      }
      guard let token = request.form["token"] else { throw .missing("token") }
      try revoke(token, client)
      return .empty(200)
    } catch {
      return error.response
    }
  }

  private mutating func revoke(_ token: String, _ client: OAuthClient) throws(TokenFailure) {
    // The kind shows in the prefix; the hint is not read.
    if token.hasPrefix("coder_") {
      guard Self.isPrefixedSecret(token) else {
        throw TokenFailure("invalid_request", "The token is malformed")
      }
      guard let refresh = refreshTokens[token], refresh.client == client.id else { return }
      deleteKeys { $0.id == refresh.key }
      refreshTokens[token] = nil
      return
    }
    guard let (id, secret) = Self.keyParts(token) else {
      throw TokenFailure("invalid_request", "The token is malformed")
    }
    // Unknown tokens, other clients' and ordinary sessions get the same response and are left alone.
    guard let key = keys[id], key.secret == secret, key.client == client.id else { return }
    deleteKeys { $0.id == id }
  }

  /// `<10>-<22>`, letters and digits.
  static func keyParts(_ token: String) -> (id: String, secret: String)? {
    let parts = token.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.count == 10, parts[1].utf8.count == 22,
      token.utf8.allSatisfy({ $0 != 0x20 && $0 > 0x1f && $0 < 0x7f })
    else { return nil }
    return (String(parts[0]), String(parts[1]))
  }

  /// `DELETE /oauth2/tokens?client_id=`: the person's own way to end an application's access.
  mutating func deleteTokens(_ request: Request) -> Response {
    switch authenticate(request) {
    case .failure(let refusal): return refusal.response
    case .success(let key):
      guard let text = request.query["client_id"] else {
        return .oauthError(400, "invalid_request", "Missing client_id parameter")
      }
      guard let id = UUID(uuidString: text)?.uuidString.lowercased(), clients[id] != nil else {
        return invalidClient.response
      }
      codes = codes.filter { $0.value.user != key.user || $0.value.client != id }
      deleteGrant(user: key.user, client: id)
      return .empty(204)
    }
  }
}
