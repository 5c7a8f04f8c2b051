import HTTP
import OAuth
import Secrets
import Testing

private let redirect = "http://127.0.0.1:41414/callback"
private let register = "https://dev.coder.com/oauth2/register"
private let clientURI = "https://dev.coder.com/oauth2/clients/c1"

@Suite struct `Client registration` {
  private let client = ScriptedClient()
  private let request = RegistrationRequest(
    clientName: "coder-cred on desk", redirectURIs: [redirect],
    tokenEndpointAuthMethod: .clientSecretPost)

  private func answer(_ changes: String = "") -> String {
    """
    {"client_id":"c1","client_secret":"coder_a_b","redirect_uris":["\(redirect)"],\
    "token_endpoint_auth_method":"client_secret_post","registration_access_token":"rat",\
    "registration_client_uri":"\(clientURI)","client_id_issued_at":1,"contacts":[],"x":{"y":1}\
    \(changes)}
    """
  }

  private func registered(_ json: String) throws -> ClientRegistration {
    client.on("POST", register, 201, json: json)
    return try ClientRegistration.register(
      request, metadata: metadata(), policy: policy(), client: client, now: now)
  }

  @Test func `Registration asks for the code grant, refresh tokens and one redirect URI`() throws {
    let registration = try registered(answer())
    #expect(registration.clientID == "c1")
    #expect(registration.clientSecret == Secret("coder_a_b"))
    #expect(registration.clientSecretExpiresAt == nil)
    #expect(registration.registrationAccessToken == Secret("rat"))
    #expect(registration.registrationClientURI == clientURI)
    #expect(registration.tokenEndpointAuthMethod == .clientSecretPost)
    #expect(
      Set(client.json.keys) == [
        "application_type", "client_name", "grant_types", "redirect_uris", "response_types",
        "token_endpoint_auth_method",
      ])
    #expect(client.json["grant_types"] as? [String] == ["authorization_code", "refresh_token"])
    #expect(client.json["application_type"] as? String == "native")
    #expect(client.json["response_types"] as? [String] == ["code"])
    #expect(client.json["redirect_uris"] as? [String] == [redirect])
    #expect(client.json["token_endpoint_auth_method"] as? String == "client_secret_post")
    #expect(client.requests.last?.headers.contains { $0.name == "Authorization" } == false)
  }

  @Test func `A scope is registered only when it is wanted`() throws {
    client.on("POST", register, 201, json: answer())
    _ = try ClientRegistration.register(
      RegistrationRequest(
        clientName: "x", redirectURIs: [redirect], metadata: metadata(), scope: "coder:all"),
      metadata: metadata(), policy: policy(), client: client, now: now)
    #expect(client.json["scope"] as? String == "coder:all")
  }

  @Test(
    arguments: [
      (["none", "client_secret_basic", "client_secret_post"], .clientSecretBasic),
      (["none", "client_secret_post"], .clientSecretPost), (["none"], .none),
    ] as [([String], ClientAuthenticationMethod)])
  func `The secret goes into a header field where the server takes it there`(
    _ methods: [String], _ expected: ClientAuthenticationMethod
  ) throws {
    let metadata = try metadata(["token_endpoint_auth_methods_supported": methods])
    let request = RegistrationRequest(
      clientName: "x", redirectURIs: [redirect], metadata: metadata)
    #expect(request.tokenEndpointAuthMethod == expected)
  }

  @Test func `Without a registration endpoint, registration is disabled`() {
    #expect(throws: OAuthError.registrationDisabled(reason: nil)) {
      try ClientRegistration.register(
        request, metadata: metadata(["registration_endpoint": nil]), policy: policy(),
        client: client, now: now)
    }
  }

  @Test func `A refusal that says disabled is told apart`() {
    client.on(
      "POST", register, 403,
      json:
        #"{"error":"invalid_request","error_description":"Dynamic client registration is disabled"}"#
    )
    #expect(
      throws: OAuthError.registrationDisabled(reason: "Dynamic client registration is disabled")
    ) {
      try ClientRegistration.register(
        request, metadata: metadata(), policy: policy(), client: client, now: now)
    }
    client.on(
      "POST", register, 403,
      json: #"{"message":"OAuth2 provider requires enabling the 'oauth2' experiment."}"#)
    #expect {
      try ClientRegistration.register(
        request, metadata: metadata(), policy: policy(), client: client, now: now)
    } throws: {
      if case .notOffered = $0 as? OAuthError { true } else { false }
    }
    client.on("POST", register, 400, json: #"{"error":"invalid_client_metadata"}"#)
    #expect(
      throws: OAuthError.refused(ErrorResponse(code: "invalid_client_metadata"), status: 400)
    ) {
      try ClientRegistration.register(
        request, metadata: metadata(), policy: policy(), client: client, now: now)
    }
    client.on("POST", register, 429, ["Retry-After": "30"])
    #expect(throws: OAuthError.unavailable(status: 429, reason: nil, retryAfter: 30)) {
      try ClientRegistration.register(
        request, metadata: metadata(), policy: policy(), client: client, now: now)
    }
  }

  @Test func `A public client has no secret, and one that got a secret sends it`() throws {
    let none = #"{"client_id":"c1","token_endpoint_auth_method":"none"}"#
    #expect(try registered(none).authentication == .identifier("c1"))
    let odd = #"{"client_id":"c1","client_secret":"s","token_endpoint_auth_method":"none"}"#
    #expect(try registered(odd).authentication == .post(id: "c1", secret: Secret("s")))
    let basic =
      #"{"client_id":"c","client_secret":"s","token_endpoint_auth_method":"client_secret_basic"}"#
    #expect(try registered(basic).authentication == .basic(id: "c", secret: Secret("s")))
    let silent = #"{"client_id":"c1","client_secret":"s"}"#
    #expect(try registered(silent).authentication == .post(id: "c1", secret: Secret("s")))
  }

  @Test(
    arguments: [
      ("0", nil), ("null", nil), ("-1", nil), ("1799999999", 1_799_999_999),
      ("1e30", 253_402_300_799),
      ("\"x\"", nil), ("1e999", nil),
    ] as [(String, Int64?)])
  func `The secret's expiry is read, and zero means never`(_ text: String, _ expected: Int64?)
    throws
  {
    let registration = try registered(answer(",\"client_secret_expires_at\":\(text)"))
    #expect(registration.clientSecretExpiresAt == expected)
    #expect(registration.isSecretExpired(now: now) == (expected == 1_799_999_999))
  }

  @Test(arguments: [
    "https://evil.test/c1", "https://dev.coder.com:8443/c1", "http://evil.test/c1",
    "file:///x", "//evil.test/c1", "https://u@dev.coder.com/c1", "c1", "/../c1", "/%2e%2e/c1",
    "http://dev.coder.com.evil.test/c1",
  ])
  func `A configuration address elsewhere is dropped`(_ uri: String) throws {
    let json =
      #"{"client_id":"c1","registration_access_token":"r","registration_client_uri":"\#(uri)"}"#
    let registration = try registered(json)
    #expect(registration.registrationClientURI == nil)
    #expect(throws: OAuthError.self) {
      try registration.delete(policy: policy(), client: client, now: now)
    }
  }

  @Test(arguments: [
    "/oauth2/clients/c1", "http://dev.coder.com/oauth2/clients/c1",
    "http://dev.coder.com:3000/oauth2/clients/c1", "https://dev.coder.com/oauth2/clients/c1",
  ])
  func `A configuration address is looked for at the deployment alone`(_ uri: String) throws {
    let json =
      #"{"client_id":"c1","registration_access_token":"r","registration_client_uri":"\#(uri)"}"#
    #expect(try registered(json).registrationClientURI == clientURI)
  }

  @Test(arguments: [
    "http://localhost/callback", "http://localhost:41414/callback", "http://[::1]/callback",
    "http://127.0.0.1/callback", redirect,
  ])
  func `Every spelling of the loopback redirect URI is ours`(_ uri: String) throws {
    let registration = try registered(#"{"client_id":"c1","redirect_uris":["\#(uri)"]}"#)
    #expect(registration.redirectURIs == [redirect])
  }

  @Test func `A single redirect URI needs no list`() throws {
    let client = try registered(#"{"client_id":"a","redirect_uris":"\#(redirect)"}"#)
    #expect(client.redirectURIs == [redirect])
    #expect(throws: OAuthError.self) {
      try registered(#"{"client_id":"a","redirect_uris":"https://evil.test/callback"}"#)
    }
  }

  @Test func `Empty members count as absent`() throws {
    let registration = try registered(
      #"{"client_id":"c1","client_secret":"","registration_access_token":"","registration_client_uri":"","token_endpoint_auth_method":"","redirect_uris":[],"client_secret_expires_at":""}"#
    )
    #expect(registration.authentication == .identifier("c1"))
    #expect(registration.registrationAccessToken == nil)
    #expect(registration.registrationClientURI == nil)
    #expect(registration.clientSecretExpiresAt == nil)
    #expect(registration.redirectURIs == [redirect])
  }

  @Test(arguments: [200, 201, 202])
  func `Any success makes a client`(_ status: Int) throws {
    client.on("POST", register, status, json: answer())
    #expect(
      try ClientRegistration.register(
        request, metadata: metadata(), policy: policy(), client: client, now: now
      ).clientID == "c1")
  }

  @Test(arguments: [
    (401, #"{"error":"invalid_token"}"#), (401, ""), (403, #"{"error":"access_denied"}"#),
    (404, "Cannot POST /register"), (404, #"{"message":"Route not found."}"#), (405, ""), (410, ""),
    (501, ""), (302, ""), (400, "Bad Request"), (400, #"{"error":{"code":"off"}}"#), (402, ""),
    (400, #"{"error":"invalid_request"}"#), (400, #"{"error":"access_denied"}"#),
    (400, #"{"error":"unauthorized_client"}"#), (409, #"{"message":"exists"}"#), (415, ""),
    (422, #"{"detail":[{"msg":"field required"}]}"#),
  ])
  func `A server that registers nobody says so in many ways`(_ status: Int, _ body: String) {
    client.on(
      "POST", register, status, status == 302 ? ["Location": "https://dev.coder.com/login"] : [:],
      body)
    #expect {
      try ClientRegistration.register(
        request, metadata: metadata(), policy: policy(), client: client, now: now)
    } throws: {
      if case .registrationDisabled = $0 as? OAuthError { true } else { false }
    }
    #expect(client.isFinished)
  }

  @Test(arguments: [
    #""redirect_uris":["https://evil.test/callback"]"#, #""client_secret":"a b""#,
    #""token_endpoint_auth_method":"private_key_jwt""#,
  ])
  func `A client that cannot be used is deleted again`(_ member: String) {
    client.on(
      "POST", register, 201,
      json:
        #"{"client_id":"c1","registration_access_token":"rat","registration_client_uri":"/oauth2/clients/c1",\#(member)}"#
    )
    client.on("DELETE", clientURI, 204)
    #expect(throws: OAuthError.self) {
      try ClientRegistration.register(
        request, metadata: metadata(), policy: policy(), client: client, now: now)
    }
    #expect(client.isFinished)
  }

  @Test(arguments: [
    "{}", "[]", "<html>", #"{"client_id":""}"#, #"{"client_id":1}"#, #"{"client_id":"a b"}"#,
    #"{"client_id":"a\nhost=evil"}"#, #"{"client_id":"a","client_secret":"x\u001b[0m"}"#,
    #"{"client_id":"a","client_secret":"é"}"#, #"{"client_id":"a\"b"}"#,
    #"{"client_id":"a","registration_access_token":"x y"}"#,
    #"{"client_id":"a","redirect_uris":["https://evil.test/callback"]}"#,
    "{\"client_id\":\"\(String(repeating: "a", count: 8193))\"}",
    "{\"client_id\":\"a\",\"client_secret\":\"\(String(repeating: "a", count: 1_000_000))\"}",
  ])
  func `A registration that cannot be used or kept is malformed`(_ json: String) {
    #expect {
      try registered(json)
    } throws: {
      if case .malformed = $0 as? OAuthError { true } else { false }
    }
  }

  @Test func `A way to authenticate that we do not know is unsupported`() {
    #expect {
      try registered(#"{"client_id":"a","token_endpoint_auth_method":"private_key_jwt"}"#)
    } throws: {
      if case .unsupported = $0 as? OAuthError { true } else { false }
    }
  }
}
