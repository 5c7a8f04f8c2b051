import HTTP
import OAuth
import Testing

private let server = "/.well-known/oauth-authorization-server"
private let openID = "/.well-known/openid-configuration"

@Suite struct Discovery {
  private let client = ScriptedClient()

  private func discover(
    _ deployment: String = "https://dev.coder.com"
  ) throws(OAuthError) -> AuthorizationServerMetadata {
    try AuthorizationServerMetadata.discover(deployment: deployment, client: client, now: now)
  }

  @Test func `A deployment at the root needs one request`() throws {
    client.on("GET", "https://dev.coder.com" + server, 200, json: metadataJSON())
    #expect(try discover().issuer == "https://dev.coder.com")
    #expect(client.isFinished)
    #expect(client.requests.first?.headers == [HTTPField("Accept", "application/json")])
  }

  @Test func `Under a path, the deployment's own document comes first`() throws {
    let issuer = "https://h.example/coder"
    client.on("GET", issuer + server, 200, json: metadataJSON(issuer: issuer))
    #expect(try discover(issuer).tokenEndpoint == "https://h.example/coder/oauth2/tokens")
    #expect(client.isFinished)
  }

  @Test(arguments: [
    ("text/html", "<html>"), ("application/json", "{}"), ("application/json", "[]"),
    ("application/json", #"["issuer"]"#), ("text/plain", "not found"), ("application/json", "null"),
    ("application/json", #"{"keys":[]}"#), ("application/json", "NEIGHBOUR"), ("text/html", ""),
  ])
  func `What is not the deployment's metadata does not stop the search`(
    _ type: String, _ body: String
  ) throws {
    let issuer = "https://h.example/coder"
    let neighbour = metadataJSON(issuer: "https://h.example")
    client.on(
      "GET", issuer + server, 200, ["Content-Type": type],
      body == "NEIGHBOUR" ? neighbour : body)
    client.on(
      "GET", "https://h.example" + server + "/coder", 200, json: metadataJSON(issuer: issuer))
    #expect(try discover(issuer + "/").issuer == issuer)
    #expect(client.isFinished)
  }

  @Test func `Endpoints that the host's root names must lie below the deployment's path`() {
    let issuer = "https://h.example/coder"
    client.on("GET", issuer + server, 404)
    client.on(
      "GET", "https://h.example" + server + "/coder", 200,
      json: metadataJSON(
        issuer: issuer, ["token_endpoint": "https://h.example/evil/oauth2/tokens"]))
    client.on("GET", issuer + openID, 404)
    client.on("GET", "https://h.example" + openID + "/coder", 404)
    #expect(
      throws: OAuthError.foreignEndpoint(
        name: "token_endpoint", url: "https://h.example/evil/oauth2/tokens")
    ) { try discover(issuer) }
    #expect(client.isFinished)
  }

  @Test func `The last address is OpenID Connect's`() throws {
    client.on("GET", "https://dev.coder.com" + server, 404)
    client.on("GET", "https://dev.coder.com" + openID, 200, json: metadataJSON())
    _ = try discover()
    #expect(client.isFinished)
  }

  @Test(arguments: [
    (404, "application/json", #"{"message":"Route not found."}"#, "HTTP 404: \"Route not found.\""),
    (
      403, "application/json", #"{"message":"OAuth2 requires enabling the 'oauth2' experiment."}"#,
      "HTTP 403: \"OAuth2 requires enabling the 'oauth2' experiment.\""
    ),
    (200, "text/html; charset=utf-8", "<html>", "a page instead of JSON"),
    (401, "text/html", "<html>", "HTTP 401"), (204, "application/json", "", "HTTP 204"),
  ])
  func `What is there instead of metadata is told`(
    _ status: Int, _ type: String, _ body: String, _ expected: String
  ) {
    for address in [server, openID] {
      client.on(
        "GET", "https://dev.coder.com" + address, status, ["Content-Type": type], body)
    }
    #expect {
      try discover()
    } throws: {
      if case .notOffered(let what) = $0 as? OAuthError { what.hasSuffix(expected) } else { false }
    }
    #expect(client.isFinished)
  }

  @Test func `A document that a proxy has transformed is one`() throws {
    client.on("GET", "https://dev.coder.com" + server, 203, json: metadataJSON())
    _ = try discover()
    #expect(client.isFinished)
  }

  @Test(arguments: ["text/plain", "application/x-www-form-urlencoded", nil] as [String?])
  func `The body is judged, and not the type it claims`(_ type: String?) throws {
    let headers = type.map { ["Content-Type": $0] } ?? [:]
    client.on("GET", "https://dev.coder.com" + server, 200, headers, metadataJSON())
    _ = try discover()
    #expect(client.isFinished)
  }

  @Test(arguments: [408, 429, 500, 502, 503, 504])
  func `A deployment in trouble is unavailable, not without OAuth`(_ status: Int) {
    client.on("GET", "https://dev.coder.com" + server, status, ["Retry-After": "7"])
    client.on("GET", "https://dev.coder.com" + openID, 404)
    #expect(throws: OAuthError.unavailable(status: status, reason: nil, retryAfter: 7)) {
      try discover()
    }
  }

  @Test func `A network in trouble ends the search at once`() {
    let trouble = HTTPError.unreachable(reason: "connection refused")
    client.on("GET", "https://dev.coder.com" + server, .failure(trouble))
    #expect(throws: OAuthError.transport(trouble)) { try discover() }
  }

  @Test(arguments: [301, 302, 307, 308])
  func `A redirect within the deployment is followed once`(_ status: Int) throws {
    client.on("GET", "https://dev.coder.com" + server, status, ["Location": "/meta?x=1"])
    client.on("GET", "https://dev.coder.com/meta?x=1", 200, json: metadataJSON())
    _ = try discover()

    client.on("GET", "https://dev.coder.com" + server, status, ["Location": "/a"])
    client.on("GET", "https://dev.coder.com/a", status, ["Location": "/b"])
    client.on("GET", "https://dev.coder.com" + openID, 404)
    #expect(throws: OAuthError.self) { try discover() }
    #expect(client.isFinished)
  }

  @Test(arguments: [
    "https://evil.test/x", "http://dev.coder.com/x", "//evil.test/x", "https://dev.coder.com:8/x",
    "file:///etc/passwd", "", "x", "https://u@dev.coder.com/", "/\\evil.test",
    "https://login.evil.test/sign-in?next=/.well-known/oauth-authorization-server",
  ])
  func `A redirect elsewhere is refused`(_ location: String) {
    client.on("GET", "https://dev.coder.com" + server, 302, ["Location": location])
    client.on("GET", "https://dev.coder.com" + openID, 404)
    #expect {
      try discover()
    } throws: {
      if case .notOffered(let what) = $0 as? OAuthError {
        what.contains("redirect")
      } else {
        false
      }
    }
    #expect(client.isFinished)
  }

  @Test(arguments: [
    ("https://coder.example", "https://www.coder.example"),
    ("http://coder.example", "https://coder.example"),
    ("https://coder.example", "https://coder.example:8443"),
  ])
  func `A deployment that has moved as a whole is named`(_ old: String, _ new: String) {
    for address in [server, openID] {
      client.on("GET", old + address, 301, ["Location": new + address])
    }
    #expect(throws: OAuthError.moved(to: new)) { try discover(old) }
    #expect(client.isFinished)
  }

  @Test func `Nobody is sent from https to http`() {
    for address in [server, openID] {
      client.on(
        "GET", "https://dev.coder.com" + address, 301,
        ["Location": "http://dev.coder.com" + address])
    }
    #expect {
      try discover()
    } throws: {
      if case .notOffered = $0 as? OAuthError { true } else { false }
    }
  }

  @Test func `A deployment behind TLS that thinks it is without is told apart`() {
    client.on(
      "GET", "https://dev.coder.com" + server, 200,
      json: metadataJSON(issuer: "http://dev.coder.com"))
    client.on("GET", "https://dev.coder.com" + openID, 404)
    #expect {
      try discover()
    } throws: {
      ($0 as? OAuthError)?.isIssuerWithoutTLS == true
    }
    let other = OAuthError.issuerMismatch(
      expected: "https://dev.coder.com", found: "http://evil.test")
    #expect(!other.isIssuerWithoutTLS)
  }

  @Test func `A deployment known by another name is told that name`() {
    client.on(
      "GET", "https://alias.example" + server, 200, json: metadataJSON())
    client.on("GET", "https://alias.example" + openID, 404)
    #expect(
      throws: OAuthError.issuerMismatch(
        expected: "https://alias.example", found: "https://dev.coder.com")
    ) { try discover("https://alias.example") }
  }

  @Test func `A document that lacks what we need is the last word`() {
    client.on(
      "GET", "https://dev.coder.com" + server, 200,
      json: metadataJSON(["code_challenge_methods_supported": ["plain"]]))
    #expect(throws: OAuthError.unsupported("the deployment does not support PKCE with S256")) {
      try discover()
    }
  }

  @Test(arguments: ["", "dev.coder.com", "file:///x", "https://h.example?x", "https://u@h.example"])
  func `Only a plain URL is looked up`(_ deployment: String) {
    #expect(throws: OAuthError.self) { try discover(deployment) }
    #expect(client.requests.isEmpty)
  }
}
