import Foundation
import HTTP
import OAuth
import Testing

/// An `HTTPClient` that answers what a test foresaw, in that order, and fails on anything else.
final class ScriptedClient: HTTPClient {
  struct Step {
    let method: String
    let url: String
    let answer: Result<HTTPResponse, HTTPError>
  }

  private var steps: [Step] = []
  private(set) var requests: [HTTPRequest] = []

  /// Foresees a request and its answer.
  func on(
    _ method: String, _ url: String, _ status: Int, _ headers: [String: String] = [:],
    _ body: String = ""
  ) {
    let fields = headers.map { HTTPField($0.key, $0.value) }
    on(method, url, .success(HTTPResponse(status: status, headers: fields, body: Array(body.utf8))))
  }

  func on(_ method: String, _ url: String, _ answer: Result<HTTPResponse, HTTPError>) {
    steps.append(Step(method: method, url: url, answer: answer))
  }

  /// Foresees a request and its answer in JSON.
  func on(_ method: String, _ url: String, _ status: Int, json: String) {
    on(method, url, status, ["Content-Type": "application/json"], json)
  }

  func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
    requests.append(request)
    guard let step = steps.first, step.method == request.method, step.url == request.url else {
      Issue.record("unexpected request: \(request)")
      throw .broken(reason: "unexpected request")
    }
    steps.removeFirst()
    return try step.answer.get()
  }

  /// Every foreseen request was made.
  var isFinished: Bool { steps.isEmpty }

  /// The last request's form.
  var form: [String: String] { form(of: requests.count - 1) }

  /// The form of a request, counted from 0.
  func form(of index: Int) -> [String: String] {
    let body = requests.indices.contains(index) ? requests[index].body : nil
    let text = String(decoding: body ?? [], as: UTF8.self)
    return Dictionary(
      text.split(separator: "&").map { pair in
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts[1].replacing("+", with: " ").removingPercentEncoding
        return (String(parts[0]), value ?? "<broken>")
      }, uniquingKeysWith: { _, _ in "<twice>" })
  }

  /// The last request's JSON body.
  var json: [String: Any] {
    let data = Data(requests.last?.body ?? [])
    return (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
  }
}

/// Metadata of a deployment as JSON, with members replaced, or removed by nil.
func metadataJSON(
  issuer: String = "https://dev.coder.com", _ changes: [String: Any?] = [:]
) -> String {
  var document: [String: Any] = [
    "issuer": issuer,
    "authorization_endpoint": "\(issuer)/oauth2/authorize",
    "token_endpoint": "\(issuer)/oauth2/tokens",
    "registration_endpoint": "\(issuer)/oauth2/register",
    "revocation_endpoint": "\(issuer)/oauth2/revoke",
    "response_types_supported": ["code"],
    "grant_types_supported": ["authorization_code", "refresh_token"],
    "code_challenge_methods_supported": ["S256"],
    "scopes_supported": ["coder:all", "workspace:read"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
  ]
  for (name, value) in changes { document[name] = value }
  for (name, value) in changes where value == nil { document[name] = nil }
  guard let data = try? JSONSerialization.data(withJSONObject: document) else {
    Issue.record("the metadata of the test is not JSON")
    return ""
  }
  return String(decoding: data, as: UTF8.self)
}

/// Checked metadata of a deployment.
func metadata(
  issuer: String = "https://dev.coder.com", _ changes: [String: Any?] = [:],
  allowedOrigins: Set<String> = []
) throws(OAuthError) -> AuthorizationServerMetadata {
  try AuthorizationServerMetadata(
    document: Array(metadataJSON(issuer: issuer, changes).utf8),
    policy: EndpointPolicy(deployment: issuer, allowedOrigins: allowedOrigins))
}

/// Where the secrets of the tests' deployment may go.
func policy(_ deployment: String = "https://dev.coder.com") throws(OAuthError) -> EndpointPolicy {
  try EndpointPolicy(deployment: deployment)
}

/// The time of all tests.
let now: Int64 = 1_800_000_000

/// What a token endpoint's 200 is that holds no tokens: it says nothing about the grant.
let tokenless = OAuthError.unavailable(
  status: 200, reason: "the token response holds no tokens", retryAfter: nil)
