import Foundation

struct User: Sendable {
  var name: String
  var id: String
  var isSuspended = false
}

struct OAuthClient: Sendable {
  var id: String
  var isDynamic: Bool
  var isPublic: Bool
  var secrets: [String] = []
  var registrationToken: String?
  var issuedAt: Int
  /// What was registered, with its defaults filled in.
  var metadata: JSON

  var redirectURIs: [String] { metadata["redirect_uris"]?.strings ?? [] }
  var allowlist: String? { metadata["scope"]?.string }
  var name: String { metadata["client_name"]?.string ?? "" }
}

/// An API key: an access token when it has a client, else an ordinary session.
struct APIKey: Sendable {
  var id: String
  var secret: String
  var user: String
  var client: String?
  var clientSecret: String?
  var expiresAt: Double
  var lifetime: Int
  /// Nil is unrestricted.
  var scopes: [String]?
  var audience: String?

  var token: String { id + "-" + secret }
}

struct RefreshToken: Sendable {
  var token: String
  /// The API key it lives and dies with.
  var key: String
  var user: String
  var client: String
  var clientSecret: String?
  var expiresAt: Double
  var scopes: [String]?
  var audience: String?
}

struct AuthorizationCode: Sendable {
  var code: String
  var user: String
  var client: String
  var redirectURI: String?
  var challenge: String?
  var scopes: [String]?
  var resource: String?
  var expiresAt: Double
}

/// Everything the deployment knows. One lock guards it, and one request is one step under that lock.
struct ServerState: Sendable {
  var settings: DeploymentSimulator.Settings
  var address = ""
  var users: [String: User] = [:]
  var clients: [String: OAuthClient] = [:]
  var keys: [String: APIKey] = [:]
  var refreshTokens: [String: RefreshToken] = [:]
  /// Refresh tokens that were used, where their reuse has an effect.
  var spentRefreshTokens: [String: RefreshToken] = [:]
  var codes: [String: AuthorizationCode] = [:]
  var deviceCodes: [String: DeviceCode] = [:]
  var buckets: [String: (start: Double, count: Int)] = [:]
  var clockOffset: Double = 0
  var faults: [PlannedFault] = []
  var heldGeneration = 0
  var log: [DeploymentSimulator.LoggedRequest] = []
  var nextRequest = 0

  init(_ settings: DeploymentSimulator.Settings) {
    self.settings = settings
    for name in settings.users { addUser(name) }
  }

  var era: DeploymentSimulator.Era { settings.era }
  var now: Double { Date().timeIntervalSince1970 + clockOffset }

  /// As configured, perhaps with a trailing slash.
  var accessURL: String { settings.accessURL ?? (address + settings.basePath) }

  /// An address below the access URL, joined without doubling the slash.
  func link(_ path: String) -> String {
    (accessURL.hasSuffix("/") ? String(accessURL.dropLast()) : accessURL) + path
  }

  mutating func addUser(_ name: String) {
    guard users[name] == nil else { return }
    users[name] = User(name: name, id: UUID().uuidString.lowercased())
  }

  // MARK: Random texts in the server's formats

  private func random(_ count: Int) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<count).map { _ in
      alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Random, but for the canary in front; at least ten characters stay random.
  private func marked(_ count: Int) -> String {
    let canary = (settings.canary ?? "").filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    return String((String(canary.prefix(count - 10)) + random(count)).prefix(count))
  }

  /// `coder_<10>_<40>`, of refresh tokens, codes and client secrets.
  func prefixedSecret() -> String { "coder_" + random(10) + "_" + marked(40) }

  func registrationAccessToken() -> String { marked(40) }

  static func isPrefixedSecret(_ text: String) -> Bool {
    let parts = text.split(separator: "_", omittingEmptySubsequences: false)
    return parts.count == 3 && parts[0] == "coder" && !parts[1].isEmpty && !parts[2].isEmpty
  }

  // MARK: API keys

  mutating func addKey(
    user: String, lifetime: Int, client: String? = nil, clientSecret: String? = nil,
    scopes: [String]? = nil, audience: String? = nil
  ) -> APIKey {
    let key = APIKey(
      id: random(10), secret: marked(22), user: user, client: client, clientSecret: clientSecret,
      expiresAt: now + Double(lifetime), lifetime: lifetime, scopes: scopes, audience: audience)
    keys[key.id] = key
    return key
  }

  /// Deleting an API key deletes the refresh token that belongs to it.
  mutating func deleteKeys(where condition: (APIKey) -> Bool) {
    let dead = Set(keys.values.filter(condition).map(\.id))
    guard !dead.isEmpty else { return }
    keys = keys.filter { !dead.contains($0.key) }
    refreshTokens = refreshTokens.filter { !dead.contains($0.value.key) }
  }

  mutating func deleteGrant(user: String, client: String) {
    deleteKeys { $0.user == user && $0.client == client }
    refreshTokens = refreshTokens.filter { $0.value.user != user || $0.value.client != client }
  }

  /// Keys expired for longer than the retention go, and their refresh tokens with them.
  mutating func purge() {
    let limit = now - Double(settings.keyRetention)
    deleteKeys { $0.expiresAt < limit }
  }

  mutating func deleteClient(_ id: String) {
    clients[id] = nil
    codes = codes.filter { $0.value.client != id }
    deleteKeys { $0.client == id }
    refreshTokens = refreshTokens.filter { $0.value.client != id }
  }
}
