import Credentials
import HTTP
import SessionFakes

/// A deployment's token endpoint and what is around it, as a value: era A, B or C, with rotation
/// without grace, one grant for a user and a client, and access tokens that die at the refresh.
struct FakeDeployment {
  /// How deployments differ (see the deployment simulator's eras).
  enum Era: String, CaseIterable {
    /// Unknown parameters are refused; a refresh needs no secret.
    case a
    /// As A; here only because both are out there.
    case b
    /// A confidential client proves itself at refresh and revocation, and `scope` is told.
    case c
  }

  /// One authorization, with its newest pair of tokens.
  struct Grant: Equatable {
    let client: String
    /// The number of the sign-in that it began with.
    let family: Int
    let access: String
    let refresh: String
    let accessDies: Int64
  }

  /// How a request changed the server, for whoever watches.
  enum Act: Equatable {
    /// Nothing changed.
    case none
    /// A pair of tokens was issued in place of a refresh token, or for a code.
    case issued(access: String, refresh: String, isRotation: Bool)
    /// A refresh token was presented that had been spent before.
    case reused(String)
    /// These grants were ended.
    case ended([Grant])
  }

  static let lifeSeconds: Int64 = 3_600
  /// What eras A and B understand at the token endpoint.
  private static let parameters: Set<String> = [
    "grant_type", "client_id", "client_secret", "code", "redirect_uri", "code_verifier",
    "refresh_token", "resource", "scope",
  ]

  let era: Era
  /// Whether a refresh token that is presented again ends its whole family (RFC 9700 §4.14.2).
  let endsReusedFamilies: Bool
  var grants: [Grant] = []
  /// The clients registered.
  var clients: Set<String> = []
  /// Refresh tokens that were exchanged for new ones, with their families.
  private(set) var spent: [String: Int] = [:]
  /// Codes not yet redeemed, with their client.
  var codes: [String: String] = [:]
  private var issued = 0

  init(era: Era, endsReusedFamilies: Bool) {
    self.era = era
    self.endsReusedFamilies = endsReusedFamilies
  }

  /// A digest of all of it.
  var digest: Int {
    var digest = Digest()
    for grant in grants {
      digest.add(grant.access)
      digest.add(grant.refresh)
      digest.add(grant.client)
      digest.add(Int(grant.accessDies))
    }
    digest.add(clients.count)
    for client in ["c1", "c2"] where clients.contains(client) { digest.add(client) }
    digest.add(spent.count)
    for code in ["k1", "k2"] where codes[code] != nil { digest.add(code) }
    return digest.value
  }

  /// Whether an access token works.
  func isAccessAlive(_ token: String, at time: Int64) -> Bool {
    grants.contains { $0.access == token && time < $0.accessDies }
  }

  /// Whether a refresh token works.
  func isRefreshAlive(_ token: String) -> Bool { grants.contains { $0.refresh == token } }

  /// Whether an access token was ended before its time.
  func isAccessKilled(_ token: String) -> Bool { !grants.contains { $0.access == token } }

  /// Issues a pair of tokens to a client, ending the one before.
  ///
  /// - Parameters:
  ///   - client: to which client.
  ///   - old: the grant that is refreshed; nil for a sign-in.
  ///   - time: the true time, in Unix seconds.
  /// - Returns: the new grant.
  mutating func grant(_ client: String, refreshing old: Grant? = nil, at time: Int64) -> Grant {
    issued += 1
    if let old { spent[old.refresh] = old.family }
    let grant = Grant(
      client: client, family: old?.family ?? issued, access: "a\(issued)", refresh: "r\(issued)",
      accessDies: time + Self.lifeSeconds)
    grants.removeAll { $0.client == client }
    grants.append(grant)
    return grant
  }

  /// Handles a request.
  mutating func respond(to request: HTTPRequest, at time: Int64) -> (HTTPResponse, Act) {
    let form = Self.form(request.body)
    switch (request.method, request.url.dropFirst(deployment.url.count)) {
    case ("POST", "/oauth2/tokens"): return tokens(form, at: time)
    case ("POST", "/oauth2/revoke"): return revoke(form)
    case ("GET", "/api/v2/users/me"):
      let isAlive = isAccessAlive(Self.bearer(request), at: time)
      return (isAlive ? Self.json(200, #"{"username":"alice"}"#) : Self.json(401, "{}"), .none)
    case ("POST", "/api/v2/users/logout"):
      let token = Self.bearer(request)
      guard isAccessAlive(token, at: time) else { return (Self.json(401, "{}"), .none) }
      return (Self.json(200, "{}"), end { $0.access == token })
    case ("GET", let path) where path.hasPrefix("/oauth2/clients/"):
      let client = String(path.dropFirst("/oauth2/clients/".count))
      guard clients.contains(client), Self.bearer(request) == "rat-\(client)" else {
        return (Self.json(401, #"{"error":"invalid_token"}"#), .none)
      }
      return (Self.json(200, #"{"client_id":"\#(client)","client_secret":"s-\#(client)"}"#), .none)
    case ("DELETE", let path) where path.hasPrefix("/oauth2/clients/"):
      let client = String(path.dropFirst("/oauth2/clients/".count))
      guard clients.remove(client) != nil, Self.bearer(request) == "rat-\(client)" else {
        return (Self.json(401, #"{"error":"invalid_token"}"#), .none)
      }
      return (HTTPResponse(status: 204), end { $0.client == client })
    default: return (Self.json(404, #"{"message":"Route not found."}"#), .none)
    }
  }

  private mutating func tokens(
    _ form: [String: String], at time: Int64
  ) -> (HTTPResponse, Act) {
    guard let client = form["client_id"], clients.contains(client) else {
      return (Self.json(401, #"{"error":"invalid_client"}"#), .none)
    }
    guard era == .c || form.keys.allSatisfy(Self.parameters.contains) else {
      return (Self.json(400, #"{"error":"invalid_request"}"#), .none)
    }
    let isProven = form["client_secret"] == "s-\(client)"
    switch form["grant_type"] {
    case "refresh_token":
      guard isProven || era != .c else {
        return (Self.json(401, #"{"error":"invalid_client"}"#), .none)
      }
      let token = form["refresh_token"] ?? ""
      guard let old = grants.first(where: { $0.refresh == token && $0.client == client }) else {
        guard let family = spent[token] else { return (Self.invalidGrant, .none) }
        if endsReusedFamilies { grants.removeAll { $0.family == family } }
        return (Self.invalidGrant, .reused(token))
      }
      let new = grant(client, refreshing: old, at: time)
      return (success(new), .issued(access: new.access, refresh: new.refresh, isRotation: true))
    case "authorization_code":
      guard isProven else { return (Self.json(401, #"{"error":"invalid_client"}"#), .none) }
      guard codes.removeValue(forKey: form["code"] ?? "") == client else {
        return (Self.invalidGrant, .none)
      }
      let new = grant(client, at: time)
      return (success(new), .issued(access: new.access, refresh: new.refresh, isRotation: false))
    default: return (Self.json(400, #"{"error":"unsupported_grant_type"}"#), .none)
    }
  }

  private mutating func revoke(_ form: [String: String]) -> (HTTPResponse, Act) {
    guard let client = form["client_id"], clients.contains(client),
      era != .c || form["client_secret"] == "s-\(client)"
    else { return (Self.json(401, #"{"error":"invalid_client"}"#), .none) }
    let token = form["token"]
    // Revoking either token ends both.
    return (
      HTTPResponse(status: 200),
      end { $0.client == client && ($0.access == token || $0.refresh == token) }
    )
  }

  private mutating func end(_ isMeant: (Grant) -> Bool) -> Act {
    let ended = grants.filter(isMeant)
    grants.removeAll(where: isMeant)
    return ended.isEmpty ? .none : .ended(ended)
  }

  private func success(_ grant: Grant) -> HTTPResponse {
    let scope = era == .c ? #","scope":"coder:all""# : ""
    return Self.json(
      200,
      #"{"access_token":"\#(grant.access)","token_type":"Bearer","#
        + #""expires_in":\#(Self.lifeSeconds),"refresh_token":"\#(grant.refresh)"\#(scope)}"#)
  }

  private static let invalidGrant = json(400, #"{"error":"invalid_grant"}"#)

  private static func json(_ status: Int, _ body: String) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: [HTTPField("Content-Type", "application/json")],
      body: Array(body.utf8))
  }

  /// The fields of a form. Nothing that is sent here needs an escape.
  private static func form(_ body: [UInt8]?) -> [String: String] {
    var fields: [String: String] = [:]
    for pair in (body ?? []).split(separator: UInt8(ascii: "&")) {
      guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { continue }
      fields[String(decoding: pair[..<equals], as: UTF8.self)] = String(
        decoding: pair[(equals + 1)...], as: UTF8.self)
    }
    return fields
  }

  private static func bearer(_ request: HTTPRequest) -> String {
    let field = request.headers.first { $0.name == "Authorization" }?.value ?? ""
    return String(field.dropFirst("Bearer ".count))
  }
}
