import HTTP
import Secrets
import Testing

@testable import OAuth

/// The device authorization grant (RFC 8628).
@Suite struct `Device authorization` {
  private let http = ScriptedClient()
  private static let url = "https://dev.coder.com/oauth2/device_authorization"

  private func authorization(_ json: String, _ status: Int = 200) throws(OAuthError)
    -> DeviceAuthorization
  {
    http.on("POST", Self.url, status, json: json)
    let policy = try EndpointPolicy(deployment: "https://dev.coder.com")
    return try DeviceAuthorization(
      from: policy.endpoint(Self.url, named: "device_authorization_endpoint"),
      authentication: .identifier("c1"), scope: "coder:all", resource: nil, policy: policy,
      client: http, now: 0)
  }

  private static func json(
    code: String = "d1", user: String = "WDJB-MJHT",
    uri: String = "https://dev.coder.com/device", more: String = ""
  ) -> String {
    #"{"device_code":"\#(code)","user_code":"\#(user)","verification_uri":"\#(uri)"\#(more)}"#
  }

  @Test func `asks with the client and the scope, and believes what is missing to be usual`() throws
  {
    let authorization = try authorization(Self.json())
    #expect(http.form == ["client_id": "c1", "scope": "coder:all"])
    #expect(authorization.userCode == "WDJB-MJHT")
    #expect(authorization.verificationURI == "https://dev.coder.com/device")
    #expect(authorization.verificationURIComplete == nil)
    #expect(authorization.intervalSeconds == 5 && authorization.lifetimeSeconds == 300)
  }

  @Test(arguments: [(0, 1), (7, 7), (100_000, 60)])
  func `takes no interval that floods the server or lasts for ever`(given: Int, used: Int) throws {
    let authorization = try authorization(
      Self.json(more: #","interval":\#(given),"expires_in":9999999"#))
    #expect(authorization.intervalSeconds == used && authorization.lifetimeSeconds == 3600)
  }

  @Test func `takes codes and addresses only as they can be shown and trusted`() {
    for json in [
      "[]", "{}", Self.json(code: "a b"), Self.json(user: "a\\u001b[31m"), Self.json(user: "a b"),
      Self.json(user: String(repeating: "a", count: 65)), Self.json(uri: "javascript:alert(1)"),
    ] {
      #expect(throws: OAuthError.self, "\(json)") { try authorization(json) }
    }
    guard
      case .foreignEndpoint(name: "verification_uri", _) = #expect(
        throws: OAuthError.self,
        performing: { try authorization(Self.json(uri: "https://evil.example/device")) })
    else {
      Issue.record("another error")
      return
    }
  }

  @Test func `leaves out a complete address that leads elsewhere`() throws {
    for (uri, isKept) in [
      ("https://dev.coder.com/device?user_code=WDJB-MJHT", true), ("https://evil.example/x", false),
      ("no address", false),
    ] {
      let authorization = try authorization(
        Self.json(more: #","verification_uri_complete":"\#(uri)""#))
      #expect(authorization.verificationURIComplete == (isKept ? uri : nil))
    }
  }

  private func outcome(_ status: Int, _ json: String) throws -> DeviceTokenOutcome {
    let authorization = try authorization(Self.json())
    let url = "https://dev.coder.com/oauth2/tokens"
    http.on("POST", url, status, json: json)
    let endpoint = try EndpointPolicy(deployment: "https://dev.coder.com")
      .endpoint(url, named: "token_endpoint")
    return try TokenEndpoint(endpoint, authentication: .identifier("c1"))
      .tokens(of: authorization, scope: nil, client: http, now: 0)
  }

  @Test func `asks for tokens with the device code, and tells what the server says`() throws {
    guard case .issued(let tokens) = try outcome(200, #"{"access_token":"a1"}"#) else {
      Issue.record("no tokens")
      return
    }
    #expect(tokens.accessToken == "a1")
    #expect(
      http.form == [
        "grant_type": DeviceAuthorization.grantType, "device_code": "d1", "client_id": "c1",
      ])
    guard case .pending = try outcome(400, #"{"error":"authorization_pending"}"#),
      case .slowDown = try outcome(400, #"{"error":"slow_down"}"#)
    else {
      Issue.record("another outcome")
      return
    }
    #expect(throws: OAuthError.denied(reason: "no")) {
      try outcome(400, #"{"error":"access_denied","error_description":"no"}"#)
    }
    #expect(throws: OAuthError.timedOut) { try outcome(400, #"{"error":"expired_token"}"#) }
    let unavailable = #expect(throws: OAuthError.self) { try outcome(503, "{}") }
    #expect(unavailable?.isTransient == true)
    let refused = #expect(throws: OAuthError.self) {
      try outcome(400, #"{"error":"unauthorized_client"}"#)
    }
    #expect(refused?.isDeviceGrantRefused == true && refused?.isTransient == false)
  }

  @Test func `is asked to be allowed for a client only when it is wanted`() {
    var request = RegistrationRequest(
      clientName: "x", redirectURIs: ["http://127.0.0.1/callback"], tokenEndpointAuthMethod: .none)
    func grants() -> JSONValue? { request.members.first { $0.name == "grant_types" }?.value }
    let usual: [JSONValue] = [.string("authorization_code"), .string("refresh_token")]
    #expect(grants() == .array(usual))
    request.usesDeviceGrant = true
    #expect(grants() == .array(usual + [.string(DeviceAuthorization.grantType)]))
  }
}
