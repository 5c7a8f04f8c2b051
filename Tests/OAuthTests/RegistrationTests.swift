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
      request, metadata: metadata(), client: client, now: now)
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
        "client_name", "grant_types", "redirect_uris", "response_types",
        "token_endpoint_auth_method",
      ])
    #expect(client.json["grant_types"] as? [String] == ["authorization_code", "refresh_token"])
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
      metadata: metadata(), client: client, now: now)
    #expect(client.json["scope"] as? String == "coder:all")
  }

  @Test(
    arguments: [
      (["none", "client_secret_basic", "client_secret_post"], .clientSecretPost),
      (["none", "client_secret_basic"], .clientSecretBasic), (["none"], .none),
    ] as [([String], ClientAuthenticationMethod)])
  func `The way to authenticate that most deployments know is preferred`(
    _ methods: [String], _ expected: ClientAuthenticationMethod
  ) throws {
    let metadata = try metadata(["token_endpoint_auth_methods_supported": methods])
    let request = RegistrationRequest(
      clientName: "x", redirectURIs: [redirect], metadata: metadata)
    #expect(request.tokenEndpointAuthMethod == expected)
  }

  @Test func `Without a registration endpoint, registration is disabled`() {
    #expect(throws: OAuthError.registrationDisabled) {
      try ClientRegistration.register(
        request, metadata: metadata(["registration_endpoint": nil]), client: client, now: now)
    }
  }

  @Test func `A refusal that says disabled is told apart`() {
    client.on(
      "POST", register, 403,
      json:
        #"{"error":"invalid_request","error_description":"Dynamic client registration is disabled"}"#
    )
    #expect(throws: OAuthError.registrationDisabled) {
      try ClientRegistration.register(request, metadata: metadata(), client: client, now: now)
    }
    client.on(
      "POST", register, 403,
      json: #"{"message":"OAuth2 provider requires enabling the 'oauth2' experiment."}"#)
    #expect {
      try ClientRegistration.register(request, metadata: metadata(), client: client, now: now)
    } throws: {
      if case .notOffered = $0 as? OAuthError { true } else { false }
    }
    client.on("POST", register, 400, json: #"{"error":"invalid_client_metadata"}"#)
    #expect(
      throws: OAuthError.refused(ErrorResponse(code: "invalid_client_metadata"), status: 400)
    ) {
      try ClientRegistration.register(request, metadata: metadata(), client: client, now: now)
    }
    client.on("POST", register, 429, ["Retry-After": "30"])
    #expect(throws: OAuthError.unavailable(status: 429, reason: nil, retryAfter: 30)) {
      try ClientRegistration.register(request, metadata: metadata(), client: client, now: now)
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
    "https://evil.test/c1", "http://dev.coder.com/c1", "https://dev.coder.com:8443/c1",
    "file:///x", "/oauth2/clients/c1", "https://u@dev.coder.com/c1",
  ])
  func `A configuration address elsewhere is dropped`(_ uri: String) throws {
    let json =
      #"{"client_id":"c1","registration_access_token":"r","registration_client_uri":"\#(uri)"}"#
    let registration = try registered(json)
    #expect(registration.registrationClientURI == nil)
    #expect(throws: OAuthError.self) {
      try registration.delete(issuer: "https://dev.coder.com", client: client, now: now)
    }
  }

  @Test(arguments: [
    "{}", "[]", "<html>", #"{"client_id":""}"#, #"{"client_id":1}"#, #"{"client_id":"a b"}"#,
    #"{"client_id":"a\nhost=evil"}"#, #"{"client_id":"a","client_secret":"x\u001b[0m"}"#,
    #"{"client_id":"a","client_secret":"é"}"#, #"{"client_id":"a\"b"}"#,
    #"{"client_id":"a","registration_access_token":"x y"}"#,
    #"{"client_id":"a","redirect_uris":["https://evil.test/callback"]}"#,
    #"{"client_id":"a","redirect_uris":[]}"#,
    "{\"client_id\":\"\(String(repeating: "a", count: 2049))\"}",
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

  @Test func `An update replaces everything and keeps what the answer leaves out`() throws {
    let old = try registered(answer(",\"client_secret_expires_at\":1900000000"))
    let moved = "http://127.0.0.1:50000/callback"
    client.on(
      "PUT", clientURI, 200,
      json:
        #"{"client_id":"c1","redirect_uris":["\#(moved)"],"token_endpoint_auth_method":"client_secret_post"}"#
    )
    let new = try old.update(
      RegistrationRequest(
        clientName: "x", redirectURIs: [moved],
        tokenEndpointAuthMethod: old.tokenEndpointAuthMethod),
      issuer: "https://dev.coder.com", client: client, now: now)
    #expect(new.redirectURIs == [moved])
    #expect(new.clientSecret == old.clientSecret)
    #expect(new.clientSecretExpiresAt == 1_900_000_000)
    #expect(new.registrationAccessToken == old.registrationAccessToken)
    #expect(new.registrationClientURI == clientURI)
    #expect(
      client.requests.last?.headers.contains(HTTPField("Authorization", "Bearer rat")) == true)
    // RFC 7592 §2.2: the client identifier must be there, the token and the address must not.
    #expect(client.json["client_id"] as? String == "c1")
    #expect(client.json["token_endpoint_auth_method"] as? String == "client_secret_post")
    #expect(client.json["registration_access_token"] == nil)
    #expect(client.json["client_secret"] == nil)
  }

  @Test func `Reading takes over what the server changed, and knows when it forgot the client`()
    throws
  {
    let old = try registered(answer())
    let elsewhere = "http://127.0.0.1:50000/callback"
    client.on(
      "GET", clientURI, 200,
      json:
        #"{"client_id":"c1","client_secret":"s2","registration_access_token":"rat2","redirect_uris":["\#(elsewhere)"]}"#
    )
    let read = try #require(
      try old.current(issuer: "https://dev.coder.com", client: client, now: now))
    #expect(read.clientSecret == Secret("s2"))
    #expect(read.registrationAccessToken == Secret("rat2"))
    #expect(read.redirectURIs == [elsewhere])
    #expect(read.registrationClientURI == clientURI)
    for (status, body) in [(200, "<html>"), (200, #"{"client_id":"c2"}"#), (404, "{}"), (500, "")] {
      client.on("GET", clientURI, status, json: body)
      #expect(try old.current(issuer: "https://dev.coder.com", client: client, now: now) == old)
    }
    client.on("GET", clientURI, 401, json: #"{"error":"invalid_token"}"#)
    #expect(try old.current(issuer: "https://dev.coder.com", client: client, now: now) == nil)
    // A kept address is checked again before the token goes there.
    #expect(try old.current(issuer: "https://other.example", client: client, now: now) == old)
    #expect(client.isFinished)
  }

  @Test func `An update about another client is malformed`() throws {
    let old = try registered(answer())
    client.on("PUT", clientURI, 200, json: #"{"client_id":"c2"}"#)
    #expect(throws: OAuthError.self) {
      try old.update(request, issuer: "https://dev.coder.com", client: client, now: now)
    }
  }

  @Test func `Deleting proves itself with the registration access token`() throws {
    let registration = try registered(answer())
    client.on("DELETE", clientURI, 204)
    try registration.delete(issuer: "https://dev.coder.com", client: client, now: now)
    #expect(client.requests.last?.body == nil)
    #expect(
      client.requests.last?.headers.contains(HTTPField("Authorization", "Bearer rat")) == true)

    client.on("DELETE", clientURI, 401, json: #"{"error":"invalid_token"}"#)
    #expect(throws: OAuthError.refused(ErrorResponse(code: "invalid_token"), status: 401)) {
      try registration.delete(issuer: "https://dev.coder.com", client: client, now: now)
    }
    client.on("DELETE", clientURI, 302, ["Location": "https://evil.test/"])
    #expect(throws: OAuthError.unavailable(status: 302, reason: nil, retryAfter: nil)) {
      try registration.delete(issuer: "https://dev.coder.com", client: client, now: now)
    }
    // A kept address is checked again before the token goes there.
    #expect(throws: OAuthError.self) {
      try registration.delete(issuer: "https://other.example", client: client, now: now)
    }
    #expect(client.isFinished)
  }
}
