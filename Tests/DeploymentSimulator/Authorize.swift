import Foundation

/// Why an authorization request fails, by where the person is told.
private enum AuthorizeFailure: Error {
  /// Never redirected: a response for the browser.
  case local(Response)
  /// RFC 6749 section 4.1.2.1: told to the client, where the era does so.
  case told(String, String)
}

/// An authorization request found sound.
private struct AuthorizationRequest {
  var client: OAuthClient
  /// Where the response goes.
  var callback: String
  var scopes: [String]?
  var challenge: String?
}

extension ServerState {
  private static let authorizeParameters = [
    "response_type", "client_id", "redirect_uri", "scope", "state", "resource", "code_challenge",
    "code_challenge_method",
  ]

  mutating func authorize(_ request: Request) -> Response {
    guard ["GET", "POST"].contains(request.method) else { return .empty(405) }
    do throws(AuthorizeFailure) {
      return try authorizeSoundly(request)
    } catch {
      switch error {
      case .local(let response): return response
      case .told(let code, let description): return tell(request, code, description)
      }
    }
  }

  private mutating func authorizeSoundly(
    _ request: Request
  ) throws(AuthorizeFailure) -> Response {
    let client = try authorizingClient(request)
    guard let session = session(of: request) else { return login(request) }
    let asked = try authorization(request, client)
    guard request.method == "POST" else { return .html(200, consentPage(request, asked, session)) }
    let hasHeader = !(request.header("Coder-Session-Token") ?? "").isEmpty
    guard hasHeader || request.form["csrf_token"] == csrfToken(session) else {
      throw .local(.message(400, "Something is wrong with your CSRF token."))
    }
    if settings.consent == .deny { return .redirect(302, to: denial(request, asked)) }
    return allow(request, asked, session)
  }

  /// A session missing: the real server sends the browser to its login page and back.
  func login(_ request: Request) -> Response {
    var parameters = Parameters()
    let back = request.path + (request.query.fields.isEmpty ? "" : "?" + request.query.encoded)
    parameters.fields = [
      Field(name: "message", value: "You are signed out or your session has expired."),
      Field(name: "redirect", value: back),
    ]
    return .redirect(303, to: settings.basePath + "/login?" + parameters.encoded)
  }

  private func authorizingClient(_ request: Request) throws(AuthorizeFailure) -> OAuthClient {
    if request.query.isRepeated("client_id") {
      throw .local(refusalHere(request, "invalid_request", "client_id was given twice"))
    }
    guard let text = request.query["client_id"] else {
      throw .local(.oauthError(400, "invalid_request", "Missing client_id parameter"))
    }
    guard let id = UUID(uuidString: text)?.uuidString.lowercased(), let client = clients[id] else {
      throw .local(.oauthError(401, "invalid_client", "The client credentials are invalid"))
    }
    return client
  }

  private func authorization(
    _ request: Request, _ client: OAuthClient
  ) throws(AuthorizeFailure) -> AuthorizationRequest {
    let query = request.query
    if query.isRepeated("redirect_uri") {
      throw .local(refusalHere(request, "invalid_request", "redirect_uri was given twice"))
    }
    let callback = query["redirect_uri"] ?? client.redirectURIs.first ?? ""
    guard RedirectURI.matches(callback, registered: client.redirectURIs, era: era) else {
      let text = "Query param redirect_uri must exactly match a registered redirect URI"
      throw .local(refusalHere(request, "invalid_request", text))
    }
    if let name = query.repeated(of: Self.authorizeParameters) {
      throw .told("invalid_request", "Query param \(name) was provided more than once")
    }
    if era < .c, let name = query.unknown(beside: Self.authorizeParameters) {
      throw .told("invalid_request", "Query param \(name) is not a valid query param")
    }
    guard let type = query["response_type"] else {
      throw .told("invalid_request", "Query param response_type is required")
    }
    guard type == "code" else {
      throw .told("unsupported_response_type", "Only response_type=code is supported")
    }
    if let resource = query["resource"] {
      guard let uri = URIReference(resource), uri.authority != nil, uri.fragment == nil else {
        throw .told("invalid_target", "The resource must be an absolute URI without a fragment")
      }
    }
    let challenge = try challenge(query)
    return AuthorizationRequest(
      client: client, callback: callback, scopes: try scopes(query, client), challenge: challenge)
  }

  private func challenge(_ query: Parameters) throws(AuthorizeFailure) -> String? {
    if let method = query["code_challenge_method"], method != "S256" {
      throw .told("invalid_request", "Only the S256 code challenge method is supported")
    }
    guard let challenge = query["code_challenge"] else {
      if era == .a { return nil }
      throw .told("invalid_request", "Query param code_challenge is required")
    }
    guard TokenRules.isVerifier(challenge) else {
      throw .told("invalid_request", "The code_challenge is malformed")
    }
    return challenge
  }

  private func scopes(
    _ query: Parameters, _ client: OAuthClient
  ) throws(AuthorizeFailure) -> [String]? {
    guard era > .a else { return nil }
    let result = Scopes.negotiate(
      requested: query["scope"], allowlist: client.allowlist, catalog: settings.scopeCatalog)
    if let problem = result.problem { throw .told("invalid_scope", problem) }
    return result.granted
  }

  // MARK: Responses

  private mutating func allow(
    _ request: Request, _ asked: AuthorizationRequest, _ session: APIKey
  ) -> Response {
    let code = AuthorizationCode(
      code: prefixedSecret(), user: session.user, client: asked.client.id,
      redirectURI: request.query["redirect_uri"], challenge: asked.challenge,
      scopes: asked.scopes, resource: request.query["resource"],
      expiresAt: now + Double(settings.codeLifetime))
    // One live code per person and application.
    codes = codes.filter { $0.value.user != code.user || $0.value.client != code.client }
    codes[code.code] = code
    return .redirect(
      302,
      to: RedirectURI.callback(
        asked.callback, [Field(name: "code", value: code.code)] + state(request)))
  }

  private func state(_ request: Request) -> [Field] {
    request.query["state"].map { [Field(name: "state", value: $0)] } ?? []
  }

  private func denial(_ request: Request, _ asked: AuthorizationRequest) -> String {
    let description = "The resource owner or authorization server denied the request"
    return RedirectURI.callback(
      asked.callback,
      [
        Field(name: "error", value: "access_denied"),
        Field(name: "error_description", value: description),
      ] + state(request))
  }

  /// Era C redirects; before, the callback never hears of it.
  private func tell(_ request: Request, _ code: String, _ description: String) -> Response {
    let client = request.query["client_id"].flatMap { clients[$0.lowercased()] }
    guard era == .c, let callback = request.query["redirect_uri"] ?? client?.redirectURIs.first
    else { return refusalHere(request, code, description) }
    return .redirect(
      302,
      to: RedirectURI.callback(
        callback,
        [
          Field(name: "error", value: code),
          Field(name: "error_description", value: RedirectURI.printable(description)),
        ] + state(request)))
  }

  private func refusalHere(_ request: Request, _ code: String, _ text: String) -> Response {
    guard request.method == "GET" else { return .oauthError(400, code, text) }
    let shown = Page.escaped(text)
    return .html(400, "<!doctype html><title>Coder</title><h1>400</h1><p>\(shown)</p>")
  }

  // MARK: The consent page

  private func csrfToken(_ session: APIKey) -> String {
    String(SHA256.hexadecimal("csrf " + session.token).prefix(40))
  }

  private func consentPage(
    _ request: Request, _ asked: AuthorizationRequest, _ session: APIKey
  ) -> String {
    var extent = ""
    if era == .c, let scopes = asked.scopes {
      extent =
        scopes == [Scopes.everything]
        ? "<p>This grants full access to your account.</p>"
        : "<ul>" + scopes.map { "<li>\(Page.escaped($0))</li>" }.joined() + "</ul>"
    }
    let name = Page.escaped(asked.client.name)
    let action = settings.basePath + request.path + "?" + request.query.encoded
    return """
      <!doctype html><title>Authorize \(name)</title>
      <h1>Authorize \(name)</h1><p>Signed in as \(Page.escaped(session.user)).</p>\(extent)
      <form id="allow-form" method="post" action="\(Page.escaped(action))">
      <input type="hidden" name="csrf_token" value="\(csrfToken(session))">
      <button type="submit">Allow</button></form>
      <a id="cancel-link" href="\(Page.escaped(denial(request, asked)))">Cancel</a>
      """
  }
}

/// HTML text, escaped and back.
enum Page {
  static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&#34;")
  }

  static func unescaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&#34;", with: "\"").replacingOccurrences(of: "&gt;", with: ">")
      .replacingOccurrences(of: "&lt;", with: "<").replacingOccurrences(of: "&amp;", with: "&")
  }

  /// The value of an attribute in the element that contains `marker`.
  static func attribute(_ name: String, after marker: String, in page: String) -> String? {
    guard let start = page.range(of: marker),
      let opening = page.range(of: name + "=\"", range: start.upperBound..<page.endIndex),
      let closing = page.range(of: "\"", range: opening.upperBound..<page.endIndex)
    else { return nil }
    return unescaped(String(page[opening.upperBound..<closing.lowerBound]))
  }
}
