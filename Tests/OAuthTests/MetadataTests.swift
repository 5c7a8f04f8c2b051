import OAuth
import Testing

@Suite struct `Authorization server metadata` {
  @Test func `A byte order mark and escapes in names are no obstacle`() throws {
    for document in [
      "\u{FEFF}" + metadataJSON(), metadataJSON().replacing("issuer", with: #"iss\u0075er"#),
    ] {
      _ = try AuthorizationServerMetadata(document: Array(document.utf8), policy: policy())
    }
  }

  @Test func `A deployment's document is read as it is`() throws {
    let metadata = try metadata()
    #expect(metadata.issuer == "https://dev.coder.com")
    #expect(metadata.authorizationEndpoint == "https://dev.coder.com/oauth2/authorize")
    #expect(metadata.tokenEndpoint == "https://dev.coder.com/oauth2/tokens")
    #expect(metadata.registrationEndpoint == "https://dev.coder.com/oauth2/register")
    #expect(metadata.revocationEndpoint == "https://dev.coder.com/oauth2/revoke")
    #expect(metadata.clientAuthenticationMethods == [.clientSecretPost, .clientSecretBasic])
    #expect(!metadata.requiresIssuerParameter)
  }

  @Test(arguments: ["issuer", "authorization_endpoint", "token_endpoint"])
  func `A document without a required member is malformed`(_ name: String) {
    for value in [nil, ""] as [String?] {
      #expect(throws: OAuthError.malformed("the OAuth metadata lacks \(name)")) {
        try metadata([name: value])
      }
    }
  }

  @Test(arguments: ["registration_endpoint", "revocation_endpoint"])
  func `Registration and revocation are optional`(_ name: String) throws {
    let metadata = try metadata([name: nil])
    #expect(
      (name == "registration_endpoint"
        ? metadata.registrationEndpoint : metadata.revocationEndpoint)
        == nil)
  }

  @Test func `Of the grants, only the code must be named`() throws {
    for grants in [["client_credentials"], ["refresh_token"], []] {
      #expect(throws: OAuthError.self) { try metadata(["grant_types_supported": grants]) }
    }
    // Whether refresh tokens are issued, the token response says.
    _ = try metadata(["grant_types_supported": ["authorization_code"]])
    _ = try metadata(["grant_types_supported": nil])
  }

  @Test(arguments: ["scopes_supported", "service_documentation", "jwks_uri", "claims_supported"])
  func `What is not used is not judged`(_ name: String) throws {
    for value in [["a": 1], 7, true, [[1]], ""] as [Any] { _ = try metadata([name: value]) }
  }

  @Test func `The response type must be code, which goes without saying`() throws {
    #expect(
      throws: OAuthError.unsupported("the deployment does not support the response type code")
    ) { try metadata(["response_types_supported": ["token"]]) }
    _ = try metadata(["response_types_supported": nil])
  }

  // The extension for the editor insists on client_secret_post; we know all three ways, so the
  // default of RFC 8414 is good enough.
  @Test func `Any way to authenticate that we know will do`() throws {
    let basic = try metadata(["token_endpoint_auth_methods_supported": ["client_secret_basic"]])
    #expect(basic.clientAuthenticationMethods == [.clientSecretBasic])
    let omitted = try metadata(["token_endpoint_auth_methods_supported": nil])
    #expect(omitted.clientAuthenticationMethods == [.clientSecretBasic])
    let all = try metadata([
      "token_endpoint_auth_methods_supported": ["private_key_jwt", "none", "client_secret_post"]
    ])
    #expect(all.clientAuthenticationMethods == [.none, .clientSecretPost])
    #expect(throws: OAuthError.self) {
      try metadata(["token_endpoint_auth_methods_supported": ["private_key_jwt"]])
    }
  }

  @Test func `Without PKCE by S256 there is no sign-in`() {
    for methods in [["plain"], [], nil] as [[String]?] {
      #expect(
        throws: OAuthError.unsupported("the deployment does not support PKCE with S256")
      ) { try metadata(["code_challenge_methods_supported": methods]) }
    }
  }

  @Test func `A promise to name the issuer is remembered`() throws {
    let name = "authorization_response_iss_parameter_supported"
    #expect(try metadata([name: true]).requiresIssuerParameter)
    #expect(try !metadata([name: false]).requiresIssuerParameter)
    #expect(try !metadata([name: "true"]).requiresIssuerParameter)
  }

  @Test(arguments: [
    "https://evil.test", "https://dev.coder.com.evil.test", "https://dev.coder.com:8443",
    "http://dev.coder.com", "https://dev.coder.com/other", "https://dev.coder.com?x",
    "https://dev.coder.com#x", "https://me@dev.coder.com", "https://dev.coder.com//",
    "dev.coder.com", "https://dev.coder.com.",
  ])
  func `Another issuer's document is refused, and its issuer told`(_ issuer: String) {
    #expect(
      throws: OAuthError.issuerMismatch(expected: "https://dev.coder.com", found: issuer)
    ) { try metadata(["issuer": issuer]) }
  }

  @Test(arguments: [
    "https://dev.coder.com/", "https://DEV.coder.com", "https://dev.coder.com:443",
    "HTTPS://dev.coder.com",
  ])
  func `Another spelling of the same issuer is the same issuer`(_ issuer: String) throws {
    #expect(try metadata(["issuer": issuer]).issuer == issuer)
  }

  @Test func `The issuer in an error is fit for a terminal`() {
    #expect(
      throws: OAuthError.issuerMismatch(expected: "https://dev.coder.com", found: "a [31mb")
    ) { try metadata(["issuer": "a\n\u{1B}[31m\u{202E}b"]) }
  }

  @Test(
    arguments: [
      "authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint",
    ],
    [
      "file:///etc/passwd", "javascript:alert(1)", "--version", "-h", "/oauth2/token",
      "https://me:x@dev.coder.com/", "https://dev.coder.com/#x", "https://dev.coder.com/a b",
      "https://dev.coder.com/\u{0}", "https://dev.coder.com/$(id)\n", "vscode://x/y",
      "https:///x", "https://", "https:dev.coder.com", "//dev.coder.com/x",
      "https://dev.coder.com:0/", "https://dev.coder.com:99999/", "https://dev.coder.com:/",
      "https://dev.coder.com\\@evil.test/", "https://dév.coder.com/", "https://%64ev.coder.com/",
    ])
  func `An endpoint that is no plain https URL is malformed`(_ name: String, _ url: String) {
    #expect(
      throws: OAuthError.malformed("the \(name) is not an absolute https URL"),
      "\(name) \(url)"
    ) { try metadata([name: url]) }
  }

  @Test(arguments: [
    "https://evil.test/x", "https://dev.coder.com:8443/x", "http://dev.coder.com/x",
    "https://dev.coder.com.evil.test/x", "https://evil.test/dev.coder.com", "http://127.0.0.1/x",
    "https://sub.dev.coder.com/x", "https://evil.test?https://dev.coder.com/",
  ])
  func `An endpoint on another site is refused`(_ url: String) {
    for name in ["token_endpoint", "registration_endpoint", "authorization_endpoint"] {
      #expect(throws: OAuthError.foreignEndpoint(name: name, url: url)) {
        try metadata([name: url])
      }
    }
  }

  @Test func `Another site may be allowed by name, but not in the clear`() throws {
    let url = "https://login.example.com/authorize"
    #expect(
      try metadata(
        ["authorization_endpoint": url], allowedOrigins: ["https://login.example.com/"]
      ).authorizationEndpoint == url)
    for allowed in ["https://login.example.com:444", "login.example.com", "*", ""] {
      #expect(throws: OAuthError.foreignEndpoint(name: "authorization_endpoint", url: url)) {
        try metadata(["authorization_endpoint": url], allowedOrigins: [allowed])
      }
    }
    let clear = "http://login.example.com/authorize"
    #expect(throws: OAuthError.foreignEndpoint(name: "authorization_endpoint", url: clear)) {
      try metadata(
        ["authorization_endpoint": clear], allowedOrigins: ["http://login.example.com"])
    }
  }

  @Test func `A deployment in the clear may have its endpoints in the clear`() throws {
    let metadata = try metadata(issuer: "http://127.0.0.1:3000")
    #expect(metadata.tokenEndpoint == "http://127.0.0.1:3000/oauth2/tokens")
    _ = try OAuthTests.metadata(issuer: "http://[::1]:3000")
  }

  @Test(arguments: [
    "", "[]", "null", "42", "<html>", "{", "{\"issuer\":1}", "{\"issuer\":\"a\",\"issuer\":\"b\"}",
    "\u{FEFF}{}", "{}{}",
    String(repeating: "[", count: 100_000), "{\"a\":" + String(repeating: "[", count: 100_000),
    "{\"a\":\"", "{\"a\":\"\\", String(repeating: "{\"a\":", count: 40) + "1",
  ])
  func `What is no plain JSON object is malformed`(_ document: String) {
    #expect {
      try AuthorizationServerMetadata(
        document: Array(document.utf8), policy: policy())
    } throws: {
      if case .malformed = $0 as? OAuthError { true } else { false }
    }
  }

  @Test(arguments: [
    (#""jwks_uri":"a","jwks_uri":"b""#, true),
    (#""scopes_supported":[],"scopes_supported":{}"#, true),
    (#""issuer":"https://dev.coder.com""#, true), (#""issuer":"https://evil.test""#, false),
    (#""token_endpoint":"https://dev.coder.com/other""#, false),
    (#""code_challenge_methods_supported":["plain"]"#, false),
  ])
  func `A member said twice is harmless if nobody uses it or both say the same`(
    _ members: String, _ isHarmless: Bool
  ) throws {
    let document = metadataJSON().replacing("}", with: "," + members + "}")
    #expect(document.hasSuffix(members + "}"))
    let read = { try AuthorizationServerMetadata(document: Array(document.utf8), policy: policy()) }
    if isHarmless { _ = try read() } else { #expect(throws: OAuthError.self) { try read() } }
  }

  @Test func `A list of something else than strings is malformed`() {
    for value in [[1], "code", [["code"]]] as [Any] {
      #expect {
        try metadata(["response_types_supported": value])
      } throws: {
        if case .malformed = $0 as? OAuthError { true } else { false }
      }
    }
  }
}
