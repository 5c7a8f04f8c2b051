import Basics
import Foundation
import HTTP
import OAuth
import Secrets
import Testing

@Suite struct `Token requests` {
  private let client = ScriptedClient()
  private let url = "https://dev.coder.com/oauth2/tokens"
  private let tokens = #"{"access_token":"a","token_type":"Bearer"}"#

  private func endpoint(
    _ authentication: ClientAuthentication
  ) throws(OAuthError) -> TokenEndpoint {
    TokenEndpoint(
      try policy().endpoint(url, named: "token_endpoint"), authentication: authentication)
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

  @Test(arguments: [200, 201, 202, 299])
  func `Tokens come with any success`(_ status: Int) throws {
    client.on("POST", url, status, json: tokens)
    #expect(
      try endpoint(.identifier("c")).refresh(Secret("r"), client: client, now: now).accessToken
        == Secret("a"))
  }

  @Test func `A secret that is not taken in one way is sent in the other, once`() throws {
    let refusal = #"{"error":"invalid_client"}"#
    for (first, name) in [
      (ClientAuthentication.basic(id: "c", secret: Secret("s")), "client_secret"),
      (.post(id: "c", secret: Secret("s")), "Authorization"),
    ] {
      client.on("POST", url, 401, json: refusal)
      client.on("POST", url, 200, json: tokens)
      _ = try endpoint(first).refresh(Secret("r"), client: client, now: now)
      let isInForm = client.form["client_secret"] == "s"
      #expect(isInForm == (name == "client_secret"))
      #expect(
        client.requests.last?.headers.contains { $0.name == "Authorization" } == !isInForm)
      client.on("POST", url, 401, json: refusal)
      client.on("POST", url, 400, json: #"{"error":"invalid_request"}"#)
      #expect(throws: OAuthError.refused(ErrorResponse(code: "invalid_client"), status: 401)) {
        try endpoint(first).refresh(Secret("r"), client: client, now: now)
      }
    }
    // A public client has no other way, and a second attempt that is lost is the one that counts.
    client.on("POST", url, 401, json: refusal)
    #expect(throws: OAuthError.self) {
      try endpoint(.identifier("c")).refresh(Secret("r"), client: client, now: now)
    }
    client.on("POST", url, 401, json: refusal)
    client.on("POST", url, .failure(.timedOut(reason: "x")))
    #expect(throws: OAuthError.transport(.timedOut(reason: "x"))) {
      try endpoint(.post(id: "c", secret: Secret("s"))).refresh(
        Secret("r"), client: client, now: now)
    }
    #expect(client.isFinished)
  }

  @Test(arguments: ["refresh-token-0123", "client-secret-4567", "s p/e+c&i=a%l"])
  func `A server that repeats our secrets is not quoted with them`(_ secret: String) {
    let basic = Data("c:\(PercentEncoding.encodeForm(secret))".utf8).base64EncodedString()
    for (status, member) in [
      (400, "error_description"), (503, "error_description"), (404, "message"),
    ] {
      client.on(
        "POST", url, status,
        json: #"{"error":"invalid_request","\#(member)":"got \#(secret) and \#(basic) from you"}"#)
      do {
        _ = try endpoint(.basic(id: "c", secret: Secret(secret))).refresh(
          Secret(secret), client: client, now: now)
        Issue.record("a refusal brings no tokens")
      } catch {
        #expect(!"\(error)".contains(secret) && !"\(error)".contains(basic), "\(error)")
        #expect("\(error)".contains("<redacted>"))
      }
    }
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
    client.on("POST", url, status, ["Location": "https://dev.coder.com/elsewhere?code=x"])
    #expect(
      throws: OAuthError.redirected(status: status, to: "https://dev.coder.com/elsewhere")
    ) {
      try endpoint(.identifier("c")).refresh(Secret("r"), client: client, now: now)
    }
    #expect(client.requests.count == 1)
  }

  @Test func `A page instead of tokens decides nothing`() {
    client.on("POST", url, 200, ["Content-Type": "text/html"], "<html>")
    #expect(throws: tokenless) {
      try endpoint(.identifier("c")).refresh(Secret("r"), client: client, now: now)
    }
  }
}

@Suite struct `Token revocation` {
  private let client = ScriptedClient()
  private let url = "https://dev.coder.com/oauth2/revoke"

  private func revocation(_ client: ClientAuthentication) throws(OAuthError) -> Revocation {
    Revocation(try policy().endpoint(url, named: "revocation_endpoint"), authentication: client)
  }

  @Test func `Revocation names the token, its kind and the client`() throws {
    client.on("POST", url, 200)
    try revocation(.post(id: "c", secret: Secret("s"))).revoke(
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
    try revocation(.post(id: "c", secret: Secret("s"))).revoke(
      Secret("t"), hint: .refreshToken, client: client, now: now)
    #expect(client.form == ["token": "t", "token_type_hint": "refresh_token"])
    #expect(
      client.requests.last?.headers.contains(HTTPField("Authorization", "Basic Yzpz")) == true)
    #expect(client.isFinished)
  }

  @Test(arguments: [200, 202, 204])
  func `Any success revokes`(_ status: Int) throws {
    client.on("POST", url, status)
    try revocation(.identifier("c")).revoke(
      Secret("t"), hint: .accessToken, client: client, now: now)
    #expect(client.isFinished)
  }

  @Test func `Both tokens of a session are revoked, the refresh token first`() throws {
    client.on("POST", url, 200)
    client.on("POST", url, 200)
    try revocation(.identifier("c")).revoke(
      accessToken: Secret("a"), refreshToken: Secret("r"), client: client, now: now)
    #expect(client.form(of: 0)["token"] == "r")
    #expect(client.form["token"] == "a")
    #expect(client.isFinished)
  }

  @Test func `Where refresh tokens cannot be revoked, the access token is, and the rest is told`()
    throws
  {
    let refusal = #"{"error":"unsupported_token_type"}"#
    client.on("POST", url, 400, json: refusal)
    client.on("POST", url, 200)
    #expect(
      throws: OAuthError.refused(ErrorResponse(code: "unsupported_token_type"), status: 400)
    ) {
      try revocation(.identifier("c")).revoke(
        accessToken: Secret("a"), refreshToken: Secret("r"), client: client, now: now)
    }
    #expect(client.form["token"] == "a")
    #expect(client.isFinished)
  }

  @Test func `What went wrong decides what is known of the token`() {
    func revoke() throws(OAuthError) {
      try revocation(.identifier("c")).revoke(
        Secret("t"), hint: .accessToken, client: client, now: now)
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
