/// An API request turned away.
struct APIRefusal: Error {
  var response: Response
}

extension ServerState {
  /// The token a request carries, in the server's order of precedence.
  private func carriedToken(_ request: Request) -> String? {
    if let token = request.cookie("coder_session_token") { return token }
    if let token = request.query["coder_session_token"] { return token }
    if let token = request.header("Coder-Session-Token"), !token.isEmpty { return token }
    if let header = request.header("Authorization"), header.lowercased().hasPrefix("bearer ") {
      let token = header.dropFirst("bearer ".count).drop { $0 == " " }
      if !token.isEmpty { return String(token) }
    }
    return request.query["access_token"]
  }

  /// The live key of an active person, without the reason when there is none.
  func session(of request: Request) -> APIKey? {
    guard let token = carriedToken(request), let (id, secret) = Self.keyParts(token),
      let key = keys[id], key.secret == secret, key.expiresAt > now,
      users[key.user]?.isSuspended == false
    else { return nil }
    return key
  }

  /// The key behind an API call, or the 401 or 403 with its challenge.
  mutating func authenticate(_ request: Request) -> Result<APIKey, APIRefusal> {
    guard let token = carriedToken(request) else {
      return signedOut("Cookie \"coder_session_token\" or query parameter must be provided.")
    }
    guard let (id, secret) = Self.keyParts(token) else {
      return signedOut("Invalid API key format: incorrect amount of API key parts")
    }
    guard let key = keys[id] else { return signedOut("API key is invalid.") }
    guard key.secret == secret else { return signedOut("API key secret is invalid.") }
    guard key.expiresAt > now else {
      return signedOut(
        "API key expired at \"\(Moment.rfc3339(key.expiresAt))\".",
        "The access token has expired")
    }
    if users[key.user]?.isSuspended != false {
      let text =
        "User is not active (status = \"suspended\"). Contact an admin to reactivate your account."
      return .failure(APIRefusal(response: challenged(.message(401, text))))
    }
    if let audience = key.audience,
      URIReference.normalised(audience) != URIReference.normalised(accessURL)
    {
      return .failure(
        APIRefusal(
          response: challenged(
            .message(403, "Token audience validation failed"), error: "insufficient_scope",
            "The access token is not meant for this deployment")))
    }
    slide(key)
    return .success(key)
  }

  private func signedOut(
    _ detail: String, _ description: String = "The access token is invalid"
  ) -> Result<APIKey, APIRefusal> {
    let text = "You are signed out or your session has expired. Please sign in again to continue."
    let response = Response.message(401, text, detail: detail)
    return .failure(APIRefusal(response: challenged(response, description)))
  }

  private func challenged(
    _ response: Response, error: String = "invalid_token",
    _ description: String = "The access token is invalid"
  ) -> Response {
    let metadata = link("/.well-known/oauth-protected-resource")
    return response.adding(
      "WWW-Authenticate",
      "Bearer realm=\"coder\", error=\"\(error)\", error_description=\"\(description)\", "
        + "resource_metadata=\"\(metadata)\"")
  }

  /// Use prolongs a key to now plus its lifetime, at most about once an hour.
  private mutating func slide(_ key: APIKey) {
    guard settings.slidingExpiry else { return }
    let fresh = now + Double(key.lifetime)
    if fresh - key.expiresAt >= 3600 { keys[key.id]?.expiresAt = fresh }
  }
}
