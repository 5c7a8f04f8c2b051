extension ServerState {
  /// RFC 6749 section 4.1.3 with RFC 7636 section 4.5.
  mutating func exchange(
    _ request: Request, _ client: OAuthClient, _ secret: String?
  ) throws(TokenFailure) -> Response {
    let form = request.form
    guard let text = form["code"] else { throw .missing("code") }
    if !client.isPublic {
      guard let secret else { throw .missing("client_secret") }
      guard isAuthentic(secret, of: client) else { throw invalidClient }
    }
    if era == .c, let verifier = form["code_verifier"], !TokenRules.isVerifier(verifier) {
      throw TokenFailure("invalid_request", "The code_verifier is malformed")
    }
    guard let code = codes[text], code.client == client.id, code.expiresAt > now else {
      throw .code
    }
    if let challenge = code.challenge {
      guard let verifier = form["code_verifier"], SHA256.challenge(of: verifier) == challenge
      else { throw .verifier }
    }
    try checkRedirect(form["redirect_uri"], code, client)
    guard form["resource"] == code.resource else { throw .target }
    let scopes = try exchangedScopes(form["scope"], code, client)
    // Only a redeemed code is used up; it never works again.
    codes[text] = nil
    return mint(
      user: code.user, client: client, secret: client.isPublic ? nil : secret,
      keyScopes: scopes, grantScopes: scopes, audience: code.resource)
  }

  private func checkRedirect(
    _ sent: String?, _ code: AuthorizationCode, _ client: OAuthClient
  ) throws(TokenFailure) {
    // RFC 6749 section 4.1.3: "if the 'redirect_uri' parameter was included in the authorization
    // request […] their values MUST be identical". Eras A and B only look at the registration.
    if era == .c, let first = code.redirectURI {
      guard sent == first else { throw .redirect }
      return
    }
    guard let sent else { return }
    guard RedirectURI.matches(sent, registered: client.redirectURIs, era: era) else {
      throw era == .c
        ? .redirect
        : TokenFailure("invalid_request", "redirect_uri must exactly match the registered one")
    }
  }

  private func exchangedScopes(
    _ asked: String?, _ code: AuthorizationCode, _ client: OAuthClient
  ) throws(TokenFailure) -> [String]? {
    guard era == .c, let granted = code.scopes else { return code.scopes }
    if let stale = granted.first(where: { !settings.scopeCatalog.contains($0) }) {
      throw TokenFailure("invalid_grant", "The scope \(stale) can no longer be granted")
    }
    let allowed = Scopes.names(client.allowlist)
    guard allowed.isEmpty || Scopes.covers(allowed, granted) else {
      throw TokenFailure("invalid_grant", "The granted scope is no longer allowed for this app")
    }
    return try narrowed(asked, from: granted)
  }

  private func narrowed(
    _ asked: String?, from granted: [String]
  ) throws(TokenFailure) -> [String] {
    let wanted = Scopes.names(asked)
    if wanted.isEmpty { return granted }
    guard wanted.allSatisfy(settings.scopeCatalog.contains) else {
      throw TokenFailure("invalid_scope", Scopes.unknown)
    }
    guard Scopes.covers(granted, wanted) else {
      throw TokenFailure("invalid_scope", "scope requests more than was granted")
    }
    return wanted
  }

  /// RFC 6749 section 6, with rotation on every use.
  mutating func refresh(
    _ request: Request, _ client: OAuthClient, _ secret: String?
  ) throws(TokenFailure) -> Response {
    let form = request.form
    guard let text = form["refresh_token"] else { throw .missing("refresh_token") }
    // Eras A and B check no secret here at all.
    if era == .c && !client.isPublic {
      guard let secret, isAuthentic(secret, of: client) else { throw invalidClient }
    }
    if let spent = spentRefreshTokens[text] { deleteGrant(user: spent.user, client: spent.client) }
    guard let old = refreshTokens[text], old.expiresAt > now else { throw .grant }
    guard let owner = era == .c ? (old.client == client.id ? client : nil) : clients[old.client]
    else { throw .grant }
    if let resource = form["resource"] {
      guard let audience = old.audience, resource == audience else { throw .target }
    }
    var keyScopes = old.scopes
    if era == .c, let granted = old.scopes {
      keyScopes = try narrowed(form["scope"], from: granted)
    }
    // The old pair dies with this step, without grace.
    deleteKeys { $0.id == old.key }
    refreshTokens[text] = nil
    if settings.revokesOnReuse { spentRefreshTokens[text] = old }
    return mint(
      user: old.user, client: owner, secret: old.clientSecret, keyScopes: keyScopes,
      grantScopes: old.scopes, audience: old.audience)
  }
}
