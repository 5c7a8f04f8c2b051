import Basics
import Foundation
import HTTP
import Secrets
import Testing

@testable import OAuth

@Suite struct `Proof keys` {
  @Test func `The verifier and challenge of RFC 7636 Appendix B come out`() {
    let octets: [UInt8] = [
      116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77,
      105, 214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
    ]
    let verifier = CodeVerifier(octets: octets)
    #expect(verifier.value == Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))
    #expect(verifier.challenge.value == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    #expect(CodeChallenge.method == "S256")
  }

  @Test func `Verifiers and states are long, plain and never the same`() {
    let verifiers = Set((0..<200).map { _ in CodeVerifier().value.revealed })
    #expect(verifiers.count == 200)
    #expect(verifiers.allSatisfy { $0.wholeMatch(of: /[A-Za-z0-9_-]{43}/) != nil })
    let states = Set((0..<200).map { _ in State().value })
    #expect(states.count == 200)
    #expect(states.allSatisfy { $0.wholeMatch(of: /[A-Za-z0-9_-]{32}/) != nil })
  }

  @Test func `A state matches itself and shows itself to no one`() {
    let state = State()
    #expect(state.matches(state.value))
    #expect(!state.matches(""))
    #expect(!state.matches(state.value + "x"))
    #expect(!state.matches(String(state.value.dropLast())))
    #expect(!"\(state)".contains(state.value))
  }
}

@Suite struct `Form encoding` {
  @Test(arguments: [
    ("", ""), ("aZ09-._", "aZ09-._"), ("a b", "a+b"), ("a+b&c=d%", "a%2Bb%26c%3Dd%25"),
    ("http://127.0.0.1:1/callback", "http%3A%2F%2F127.0.0.1%3A1%2Fcallback"),
    (" %&+£€", "+%25%26%2B%C2%A3%E2%82%AC"), ("\r\n\u{0}", "%0D%0A%00"),
  ])
  func `Values are encoded as RFC 6749 Appendix B shows`(_ value: String, _ expected: String) {
    #expect(PercentEncoding.encodeForm(value) == expected)
    #expect(PercentEncoding.decodeForm(expected.utf8) == value)
  }

  @Test func `Basic authentication encodes before it joins`() {
    let authentication = ClientAuthentication.basic(id: "a:b", secret: Secret("p@ss w%rd/+é"))
    let field = authentication.authorization
    let encoded = Data("a%3Ab:p%40ss+w%25rd%2F%2B%C3%A9".utf8).base64EncodedString()
    #expect(field == HTTPField("Authorization", "Basic \(encoded)"))
  }

  @Test func `A client proves itself in exactly one way`() {
    func form(_ authentication: ClientAuthentication) -> String {
      var form = FormBody()
      authentication.complete(&form)
      return form.text
    }
    #expect(form(.identifier("c")) == "client_id=c")
    #expect(form(.post(id: "c", secret: Secret("s&"))) == "client_id=c&client_secret=s%26")
    #expect(form(.basic(id: "c", secret: Secret("s"))).isEmpty)
    #expect(ClientAuthentication.identifier("c").authorization == nil)
    #expect(ClientAuthentication.post(id: "c", secret: Secret("s")).authorization == nil)
  }

  @Test func `Printing a request or a client shows no secret`() {
    let authentication = ClientAuthentication.basic(id: "c", secret: Secret("canary"))
    let request = TokenRequest.refreshToken(Secret("canary")).httpRequest(
      endpoint: "https://dev.coder.com/oauth2/tokens", authentication: authentication)
    var dumped = ""
    dump(request, to: &dumped)
    dump(authentication, to: &dumped)
    dump(TokenRequest.refreshToken(Secret("canary")), to: &dumped)
    dump(CodeVerifier(), to: &dumped)
    #expect(!"\(request)\(authentication)\(dumped)".contains("canary"))
  }
}

@Suite struct `Authorization requests` {
  private func url(
    _ endpoint: String, scope: String? = nil, resource: String? = nil
  ) throws(OAuthError) -> String {
    try AuthorizationRequest(
      endpoint: endpoint, clientID: "c&1", redirectURI: "http://127.0.0.1:5/callback",
      state: State(), challenge: CodeVerifier().challenge, scope: scope, resource: resource
    ).url()
  }

  private func items(_ url: String) throws -> [String: String] {
    let items = try #require(URLComponents(string: url)?.queryItems)
    return Dictionary(
      items.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { _, _ in "twice" })
  }

  @Test func `Nothing is sent that an older deployment would refuse`() throws {
    let items = try items(url("https://dev.coder.com/oauth2/authorize"))
    #expect(
      Set(items.keys) == [
        "response_type", "client_id", "redirect_uri", "state", "code_challenge",
        "code_challenge_method",
      ])
    #expect(items["response_type"] == "code")
    #expect(items["client_id"] == "c&1")
    #expect(items["redirect_uri"] == "http://127.0.0.1:5/callback")
    #expect(items["code_challenge_method"] == "S256")
    #expect(items["code_challenge"]?.count == 43)
  }

  @Test func `Scope and resource are sent when they are wanted`() throws {
    let url = try url(
      "https://dev.coder.com/a", scope: "workspace:read template:read",
      resource: "https://dev.coder.com")
    #expect(
      url.hasSuffix("&scope=workspace%3Aread+template%3Aread&resource=https%3A%2F%2Fdev.coder.com"))
  }

  @Test func `The endpoint's own query stays, but for our names`() throws {
    let url = try url("https://dev.coder.com/a?audience=workspace&client_id=x&st%61te=evil&b")
    let items = try items(url)
    #expect(url.hasPrefix("https://dev.coder.com/a?audience=workspace&b&response_type=code&"))
    #expect(items["client_id"] == "c&1")
    #expect(items["state"]?.count == 32)
  }

  @Test func `A path before the endpoint is neither doubled nor lost`() throws {
    #expect(
      try url("https://h.example/coder/oauth2/authorize").hasPrefix(
        "https://h.example/coder/oauth2/authorize?response_type=code&"))
    #expect(try url("https://h.example").hasPrefix("https://h.example?response_type=code&"))
  }

  @Test(arguments: [
    "file:///etc/passwd", "javascript:alert(1)", "--version", "", "https://u@h.example/",
    "https://h.example/\"", "https://h.example/a#b", "https://h.example/`id`",
  ])
  func `What is no plain web address never reaches the browser`(_ endpoint: String) {
    #expect(throws: OAuthError.self) { try url(endpoint) }
  }
}

@Suite struct `Token requests` {
  private let client = ScriptedClient()
  private let url = "https://dev.coder.com/oauth2/tokens"
  private let tokens = #"{"access_token":"a","token_type":"Bearer"}"#

  private func endpoint(_ authentication: ClientAuthentication) -> TokenEndpoint {
    TokenEndpoint(url: url, authentication: authentication)
  }

  @Test func `A code is exchanged with its verifier and the same redirect URI`() throws {
    client.on("POST", url, 200, json: tokens)
    let verifier = CodeVerifier()
    _ = try endpoint(.post(id: "c", secret: Secret("s"))).exchange(
      code: Secret("coder_x_y"), redirectURI: "http://127.0.0.1:5/callback", verifier: verifier,
      client: client, now: now)
    #expect(
      client.form == [
        "grant_type": "authorization_code", "code": "coder_x_y", "client_id": "c",
        "client_secret": "s", "redirect_uri": "http://127.0.0.1:5/callback",
        "code_verifier": verifier.value.revealed,
      ])
    #expect(
      client.requests.last?.headers == [
        HTTPField("Content-Type", "application/x-www-form-urlencoded"),
        HTTPField("Accept", "application/json"),
      ])
  }

  @Test func `A refresh sends the secret and nothing a deployment does not know`() throws {
    client.on("POST", url, 200, json: tokens)
    _ = try endpoint(.post(id: "c", secret: Secret("s"))).refresh(
      Secret("coder_r"), client: client, now: now)
    #expect(
      client.form == [
        "grant_type": "refresh_token", "refresh_token": "coder_r", "client_id": "c",
        "client_secret": "s",
      ])
    client.on("POST", url, 200, json: tokens)
    _ = try endpoint(.identifier("c")).refresh(
      Secret("r"), scope: "a b", resource: "https://dev.coder.com", client: client, now: now)
    #expect(client.form["scope"] == "a b")
    #expect(client.form["resource"] == "https://dev.coder.com")
    #expect(client.form["client_secret"] == nil)
  }

  @Test func `With Basic the form names no client`() throws {
    client.on("POST", url, 200, json: tokens)
    _ = try endpoint(.basic(id: "c", secret: Secret("s"))).refresh(
      Secret("r"), client: client, now: now)
    #expect(client.form == ["grant_type": "refresh_token", "refresh_token": "r"])
    #expect(
      client.requests.last?.headers.last == HTTPField("Authorization", "Basic Yzpz"))
  }

  @Test func `A network in trouble is no verdict`() {
    let trouble = HTTPError.timedOut(reason: "no answer in 10 s")
    client.on("POST", url, .failure(trouble))
    #expect(throws: OAuthError.transport(trouble)) {
      try endpoint(.identifier("c")).refresh(Secret("r"), client: client, now: now)
    }
  }

  @Test(arguments: [301, 302, 303, 307, 308])
  func `A secret follows no redirect`(_ status: Int) {
    client.on("POST", url, status, ["Location": "https://dev.coder.com/elsewhere"])
    #expect(throws: OAuthError.unavailable(status: status, reason: nil, retryAfter: nil)) {
      try endpoint(.identifier("c")).refresh(Secret("r"), client: client, now: now)
    }
    #expect(client.requests.count == 1)
  }

  @Test func `A page instead of tokens decides nothing`() {
    client.on("POST", url, 200, ["Content-Type": "text/html"], "<html>")
    #expect(throws: answerless) {
      try endpoint(.identifier("c")).refresh(Secret("r"), client: client, now: now)
    }
  }
}

@Suite struct `Token revocation` {
  private let client = ScriptedClient()
  private let url = "https://dev.coder.com/oauth2/revoke"

  @Test func `Revocation names the token, its kind and the client`() throws {
    client.on("POST", url, 200)
    try Revocation(endpoint: url, authentication: .post(id: "c", secret: Secret("s"))).revoke(
      Secret("coder_r"), hint: .refreshToken, client: client, now: now)
    #expect(
      client.form == [
        "token": "coder_r", "token_type_hint": "refresh_token", "client_id": "c",
        "client_secret": "s",
      ])
  }

  @Test func `A server that wants another proof of the client here gets it`() throws {
    client.on("POST", url, 401, json: #"{"error":"invalid_client"}"#)
    client.on("POST", url, 200)
    try Revocation(endpoint: url, authentication: .post(id: "c", secret: Secret("s"))).revoke(
      Secret("t"), hint: .refreshToken, client: client, now: now)
    #expect(client.form == ["token": "t", "token_type_hint": "refresh_token"])
    #expect(
      client.requests.last?.headers.contains(HTTPField("Authorization", "Basic Yzpz")) == true)
    #expect(client.isFinished)
  }

  @Test func `What went wrong decides what is known of the token`() {
    let revocation = Revocation(endpoint: url, authentication: .identifier("c"))
    func revoke() throws(OAuthError) {
      try revocation.revoke(Secret("t"), hint: .accessToken, client: client, now: now)
    }
    client.on("POST", url, 401, json: #"{"error":"invalid_client"}"#)
    #expect(throws: OAuthError.refused(ErrorResponse(code: "invalid_client"), status: 401)) {
      try revoke()
    }
    client.on("POST", url, 404, json: #"{"message":"Route not found."}"#)
    #expect(
      throws: OAuthError.unavailable(status: 404, reason: "Route not found.", retryAfter: nil)
    ) { try revoke() }
    client.on("POST", url, 503, ["Retry-After": "12"])
    #expect(throws: OAuthError.unavailable(status: 503, reason: nil, retryAfter: 12)) {
      try revoke()
    }
  }
}
