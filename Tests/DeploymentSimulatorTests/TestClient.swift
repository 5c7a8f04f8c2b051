import DeploymentSimulator
import Foundation
import Testing

/// RFC 7636 appendix B, so that these tests need no digest of their own.
enum PKCE {
  static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
  static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
}

struct Pair: Equatable {
  var access: String
  var refresh: String
}

/// A client that speaks to a deployment in plain requests and decides nothing by itself.
struct TestClient {
  let deployment: DeploymentSimulator
  var id = ""
  var secret: String?
  var registrationToken = ""
  var redirectURI = "http://127.0.0.1:4999/callback"

  init(_ deployment: DeploymentSimulator) { self.deployment = deployment }

  static func registered(
    _ deployment: DeploymentSimulator, method: String = "client_secret_basic",
    redirectURIs: [String] = ["http://127.0.0.1:4999/callback"], scope: String? = nil
  ) throws -> TestClient {
    var client = TestClient(deployment)
    client.redirectURI = redirectURIs.first ?? ""
    var body: [String: Any] = [
      "client_name": "Test", "redirect_uris": redirectURIs, "token_endpoint_auth_method": method,
    ]
    body["scope"] = scope
    let response = try client.register(body)
    #expect(response.status == 201)
    client.id = try #require(response["client_id"])
    client.secret = response["client_secret"]
    client.registrationToken = try #require(response["registration_access_token"])
    return client
  }

  func register(_ body: [String: Any]) throws -> Exchange {
    try json("POST", deployment.url + "/oauth2/register", body)
  }

  func json(
    _ method: String, _ url: String, _ body: [String: Any], headers: [String: String] = [:]
  ) throws -> Exchange {
    var all = headers
    all["Content-Type"] = "application/json"
    let data = try JSONSerialization.data(withJSONObject: body)
    return try Exchange.send(method, url, headers: all, body: [UInt8](data))
  }

  func configure(
    _ method: String, _ body: [String: Any]? = nil, token: String? = nil
  ) throws -> Exchange {
    let headers = ["Authorization": "Bearer " + (token ?? registrationToken)]
    let url = deployment.url + "/oauth2/clients/" + id
    guard let body else { return try Exchange.send(method, url, headers: headers) }
    return try json(method, url, body, headers: headers)
  }

  /// Later items replace earlier ones of the same name; an empty value removes.
  func authorizationURL(_ changes: [(String, String)] = []) -> String {
    var items = [
      ("response_type", "code"), ("client_id", id), ("redirect_uri", redirectURI),
      ("state", "s1"), ("code_challenge", PKCE.challenge), ("code_challenge_method", "S256"),
    ]
    for change in changes {
      items.removeAll { $0.0 == change.0 }
      if !change.1.isEmpty { items.append(change) }
    }
    let query = items.map { $0.0 + "=" + Self.encoded($0.1) }.joined(separator: "&")
    return deployment.url + "/oauth2/authorize?" + query
  }

  static func encoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
  }

  func visit(
    _ changes: [(String, String)] = [], decision: DeploymentSimulator.Decision = .allow
  ) throws -> DeploymentSimulator.Visit {
    try deployment.browse(
      authorizationURL: authorizationURL(changes), decision: decision, followingCallback: false)
  }

  func code(_ changes: [(String, String)] = []) throws -> String {
    try #require(try visit(changes).parameter("code"))
  }

  func token(_ form: [(String, String)], headers: [String: String] = [:]) throws -> Exchange {
    try Exchange.post(deployment.url + "/oauth2/tokens", form: form, headers: headers)
  }

  /// As for authorization: later items replace, empty values remove.
  func exchange(_ code: String, _ changes: [(String, String)] = []) throws -> Exchange {
    try token(
      Self.changed(
        [
          ("grant_type", "authorization_code"), ("client_id", id), ("client_secret", secret ?? ""),
          ("code", code), ("redirect_uri", redirectURI), ("code_verifier", PKCE.verifier),
        ], changes))
  }

  func refresh(_ token: String, _ changes: [(String, String)] = []) throws -> Exchange {
    try self.token(
      Self.changed(
        [
          ("grant_type", "refresh_token"), ("client_id", id), ("client_secret", secret ?? ""),
          ("refresh_token", token),
        ], changes))
  }

  func revoke(_ token: String, _ changes: [(String, String)] = []) throws -> Exchange {
    try Exchange.post(
      deployment.url + "/oauth2/revoke",
      form: Self.changed(
        [("token", token), ("client_id", id), ("client_secret", secret ?? "")], changes))
  }

  private static func changed(
    _ form: [(String, String)], _ changes: [(String, String)]
  ) -> [(String, String)] {
    var items = form
    for change in changes {
      items.removeAll { $0.0 == change.0 }
      items.append(change)
    }
    return items.filter { !$0.1.isEmpty }
  }

  func signIn() throws -> Pair { try Self.pair(try exchange(try code())) }

  static func pair(_ response: Exchange) throws -> Pair {
    #expect(response.status == 200)
    return Pair(
      access: try #require(response["access_token"]),
      refresh: try #require(response["refresh_token"]))
  }

  func get(_ path: String, token: String) throws -> Exchange {
    try Exchange.send(
      "GET", deployment.url + path, headers: ["Authorization": "Bearer " + token])
  }

  func me(_ token: String) throws -> Int { try get("/api/v2/users/me", token: token).status }
}

func deployment(
  _ era: DeploymentSimulator.Era, _ change: (inout DeploymentSimulator.Settings) -> Void = { _ in }
) throws -> DeploymentSimulator {
  var settings = DeploymentSimulator.Settings(era: era)
  change(&settings)
  return try DeploymentSimulator(settings)
}
