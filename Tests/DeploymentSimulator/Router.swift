import Foundation

extension ServerState {
  private static let serverMetadata = "/.well-known/oauth-authorization-server"
  private static let resourceMetadata = "/.well-known/oauth-protected-resource"

  /// The request with its path taken relative to the base path; an empty path is foreign ground.
  func routed(_ request: Request) -> Request {
    var copy = request
    let base = settings.basePath
    guard !base.isEmpty else { return copy }
    copy.path = ""
    if request.path == base || request.path.hasPrefix(base + "/") {
      let rest = String(request.path.dropFirst(base.count))
      let isHidden =
        rest.hasPrefix("/.well-known/") && !settings.wellKnownForms.contains(.appended)
      if !isHidden { copy.path = rest.isEmpty ? "/" : rest }
    } else if settings.wellKnownForms.contains(.inserted) {
      for document in [Self.serverMetadata, Self.resourceMetadata]
      where request.path == document + base || request.path.hasPrefix(document + base + "/") {
        copy.path = document + request.path.dropFirst((document + base).count)
      }
    }
    return copy
  }

  /// Responds to one routed request: the whole deployment in one step.
  mutating func respond(to request: Request) -> Response {
    purge()
    guard !request.path.isEmpty else { return .html(404, "<title>404 Not Found</title>") }
    var response = routes(request)
    if isOAuth(request.path), era == .c {
      response = response.replacing("Cache-Control", "no-store").replacing("Pragma", "no-cache")
    }
    if request.header("Origin") != nil, allowsForeignOrigins(request.path) {
      response = response.adding("Access-Control-Allow-Origin", "*")
    }
    if request.path.hasPrefix("/api/v2/") {
      response = response.adding("X-Coder-Build-Version", version)
    }
    return response
  }

  private func isOAuth(_ path: String) -> Bool {
    !settings.oauthAbsent && (path == "/oauth2" || path.hasPrefix("/oauth2/"))
  }

  private func isWellKnown(_ path: String) -> Bool { path.hasPrefix("/.well-known/") }

  private func allowsForeignOrigins(_ path: String) -> Bool {
    isWellKnown(path) || ["/oauth2/tokens", "/oauth2/revoke", "/oauth2/register"].contains(path)
  }

  private mutating func routes(_ request: Request) -> Response {
    let path = request.path
    if path.hasPrefix("/api/") { return api(request) }
    if path.hasPrefix("/files/"), settings.files != nil { return file(request) }
    if settings.oauthAbsent { return webApplication(request) }
    guard isOAuth(path) || isWellKnown(path) else { return webApplication(request) }
    if let refusal = gate(path) { return refusal }
    if let refusal = limit(request) { return refusal }
    if request.method == "OPTIONS", allowsForeignOrigins(path) { return .empty(204) }
    if isWellKnown(path) { return wellKnown(request) }
    switch path {
    case "/oauth2/authorize": return authorize(request)
    case "/oauth2/tokens":
      return request.method == "DELETE" ? deleteTokens(request) : tokens(request)
    case "/oauth2/revoke": return revoke(request)
    case "/oauth2/device_authorization" where settings.deviceGrantOffered:
      return deviceAuthorization(request)
    case "/oauth2/device" where settings.deviceGrantOffered: return devicePage(request)
    case "/oauth2/register": return register(request)
    case _ where path.hasPrefix("/oauth2/clients/"): return clientConfiguration(request)
    default: return .routeNotFound
    }
  }

  /// The provider's switch: 404 in era C, 403 before, with the early exception for metadata.
  private func gate(_ path: String) -> Response? {
    guard !settings.providerEnabled else { return nil }
    guard era < .c else { return .routeNotFound }
    if isWellKnown(path), era == .a, settings.wellKnownUngated { return nil }
    return .message(
      403, "OAuth2 provider functionality requires enabling the 'oauth2' experiment.")
  }

  private func wellKnown(_ request: Request) -> Response {
    let path = request.path
    let isServer = path == Self.serverMetadata
    let isResource =
      path == Self.resourceMetadata
      || (era == .c && path.hasPrefix(Self.resourceMetadata + "/"))
    guard isServer || isResource else { return .routeNotFound }
    guard request.method == "GET" || request.method == "HEAD" else { return .empty(405) }
    return .json(200, isServer ? serverMetadata : resourceMetadata)
  }

  private func bucket(_ request: Request) -> String? {
    let path = request.path
    if path.hasPrefix("/oauth2/clients/") { return "clients" }
    if path == Self.serverMetadata { return path }
    if path == Self.resourceMetadata || path.hasPrefix(Self.resourceMetadata + "/") {
      return Self.resourceMetadata
    }
    if path == "/oauth2/tokens", request.method == "DELETE" { return "delete tokens" }
    let counted = ["/oauth2/authorize", "/oauth2/tokens", "/oauth2/revoke", "/oauth2/register"]
    return counted.contains(path) ? path : nil
  }

  /// Era C: every endpoint has its own bucket, per user with a session and per address without.
  private mutating func limit(_ request: Request) -> Response? {
    guard era == .c, let most = settings.rateLimitPerMinute, let name = bucket(request) else {
      return nil
    }
    let user = session(of: request)?.user
    if user != nil, user == settings.users.first,
      request.header("X-Coder-Bypass-Ratelimit") == "true"
    {
      return nil
    }
    let key = name + " " + (user ?? "address")
    var entry = buckets[key] ?? (start: now, count: 0)
    if now - entry.start >= 60 { entry = (start: now, count: 0) }
    entry.count += 1
    buckets[key] = entry
    guard entry.count > most else { return nil }
    let text = "You've been rate limited for sending more than \(most) requests in 1m0s."
    let response = Response.json(
      429,
      [
        "error": "temporarily_unavailable", "error_description": .string(text),
        "message": .string(text),
      ])
    guard let seconds = settings.retryAfter else { return response }
    return response.adding("Retry-After", String(seconds))
  }
}
