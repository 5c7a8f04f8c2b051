import Foundation

extension ServerState {
  mutating func api(_ request: Request) -> Response {
    let words = request.path.split(separator: "/").map(String.init)
    guard words.count > 2, words[1] == "v2" else { return .routeNotFound }
    switch (request.method, words.dropFirst(2).joined(separator: "/")) {
    case ("GET", "buildinfo"): return .json(200, buildInformation)
    case ("GET", "users/first"):
      return settings.firstUserExists
        ? .message(200, "The initial user has already been created!")
        : .message(404, "The initial user has not been created!")
    case ("POST", "users/first"): return createFirstUser(request)
    case ("POST", "users/login"): return passwordLogin(request)
    default: break
    }
    // The real server authenticates route by route: what is no route is not found by anybody.
    guard Self.routes.contains(words[2]) else { return .routeNotFound }
    switch authenticate(request) {
    case .failure(let refusal): return refusal.response
    case .success(let key): return authenticated(request, Array(words.dropFirst(2)), key)
    }
  }

  private static let routes = [
    "auth", "debug", "oauth2-provider", "templates", "users", "workspaces",
  ]

  private mutating func authenticated(
    _ request: Request, _ words: [String], _ key: APIKey
  ) -> Response {
    switch (request.method, words.joined(separator: "/")) {
    case ("POST", "users/logout"):
      deleteKeys { $0.id == key.id }
      return .message(200, "Logged out!")
    case ("GET", "auth/scopes"):
      return .json(200, ["external": .strings(settings.scopeCatalog.sorted())])
    case ("GET", "workspaces"):
      return permitted(key, ["workspace:read"]) ?? .json(200, ["workspaces": [], "count": 0])
    case ("GET", "templates"): return permitted(key, ["template:read"]) ?? .json(200, [])
    case ("GET", "debug/bytes"):
      let count = min(max(0, Int(request.query["count"] ?? "0") ?? 0), 256 << 20)
      return Response(
        status: 200, headers: [Field(name: "Content-Type", value: "application/octet-stream")],
        body: Self.pattern(count))
    case ("POST", "debug/echo"):
      let type = request.header("Content-Type") ?? "application/octet-stream"
      return Response(
        status: 200, headers: [Field(name: "Content-Type", value: type)], body: request.body)
    default: break
    }
    guard words.count >= 2, words[0] == "users", words[1] == "me" || words[1] == key.user else {
      return words.first == "oauth2-provider"
        ? administration(request, Array(words.dropFirst()), key) : .routeNotFound
    }
    if words.count == 2, request.method == "GET" {
      return permitted(key, ["user:read"], or: ["user:read_personal"])
        ?? .json(200, account(key.user))
    }
    return words.count > 2 && words[2] == "keys"
      ? keys(request, Array(words.dropFirst(3)), key) : .routeNotFound
  }

  /// Bytes 0 to 255 over and over.
  private static func pattern(_ count: Int) -> [UInt8] {
    let chunk = (0..<65_536).map { UInt8(truncatingIfNeeded: $0) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count { bytes += chunk.prefix(count - bytes.count) }
    return bytes
  }

  /// The deployment hides what a scope does not cover.
  private func permitted(
    _ key: APIKey, _ needed: [String], or alternative: [String]? = nil
  ) -> Response? {
    guard let scopes = key.scopes else { return nil }
    if Scopes.covers(scopes, needed) { return nil }
    if let alternative, Scopes.covers(scopes, alternative) { return nil }
    return .message(404, "Resource not found or you do not have access to this resource")
  }

  private func account(_ name: String) -> JSON {
    [
      "id": .string(users[name]?.id ?? ""), "username": .string(name),
      "email": .string(name + "@example.com"), "name": .string(name.capitalized),
      "avatar_url": "", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
      "last_seen_at": .string(Moment.rfc3339(now)), "status": "active", "login_type": "password",
      "organization_ids": [], "roles": [],
    ]
  }

  private mutating func createFirstUser(_ request: Request) -> Response {
    guard !settings.firstUserExists else {
      return .message(409, "The initial user has already been created.")
    }
    guard let body = JSON(parsing: request.body), let name = body["username"]?.string,
      let password = body["password"]?.string
    else { return .message(400, "Validation failed.") }
    settings.firstUserExists = true
    settings.password = password
    settings.users.insert(name, at: 0)
    addUser(name)
    return .json(
      201,
      ["user_id": .string(users[name]?.id ?? ""), "organization_id": .string(UUID().uuidString)])
  }

  private mutating func passwordLogin(_ request: Request) -> Response {
    guard let body = JSON(parsing: request.body), let email = body["email"]?.string,
      let user = users[String(email.prefix { $0 != "@" })], email == user.name + "@example.com",
      body["password"]?.string == settings.password
    else { return .message(401, "Incorrect email or password.") }
    return .json(201, ["session_token": .string(sessionToken(user.name))])
  }

  /// A session as the login page gives one: an ordinary API key.
  mutating func sessionToken(_ user: String) -> String {
    addUser(user)
    return addKey(user: user, lifetime: settings.accessTokenLifetime).token
  }

  private mutating func keys(
    _ request: Request, _ words: [String], _ key: APIKey
  ) -> Response {
    switch (request.method, words.first, words.count) {
    case ("POST", nil, 0):
      return .json(201, ["key": .string(sessionToken(key.user))])
    case ("POST", "tokens", 1):
      let nanoseconds = JSON(parsing: request.body)?["lifetime"]?.integer ?? 0
      let lifetime = nanoseconds > 0 ? nanoseconds / 1_000_000_000 : 604_800
      return .json(
        201, ["key": .string(addKey(user: key.user, lifetime: lifetime).token)])
    case ("GET", "tokens", 2) where words[1] == "tokenconfig":
      return .json(200, ["max_token_lifetime": 3_155_760_000_000_000_000])
    case (_, let id?, _):
      guard let found = keys[id], found.user == key.user else { break }
      switch (request.method, words.dropFirst().first) {
      case ("GET", nil):
        return .json(
          200,
          [
            "id": .string(id), "user_id": .string(users[key.user]?.id ?? ""),
            "expires_at": .string(Moment.rfc3339(found.expiresAt)),
            "login_type": found.client == nil ? "password" : "oauth2_provider_app",
            "lifetime_seconds": .integer(found.lifetime),
          ])
      case ("DELETE", nil):
        deleteKeys { $0.id == id }
        return .empty(204)
      case ("PUT", "expire"):
        let moment = now
        keys[id]?.expiresAt = moment
        return .empty(204)
      default: break
      }
    default: break
    }
    return .message(404, "Resource not found or you do not have access to this resource")
  }
}
