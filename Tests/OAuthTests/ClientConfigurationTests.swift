import HTTP
import OAuth
import Secrets
import Testing

private let redirect = "http://127.0.0.1:41414/callback"
private let register = "https://dev.coder.com/oauth2/register"
private let clientURI = "https://dev.coder.com/oauth2/clients/c1"

@Suite struct `Client configuration` {
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
      keeping: nil, policy: policy(), client: client, now: now)
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

  private let tokenEndpoint = "https://dev.coder.com/oauth2/tokens"

  private func status(
    _ registration: ClientRegistration, at deployment: String = "https://dev.coder.com"
  ) throws -> RegistrationStatus {
    registration.status(
      tokenEndpoint: tokenEndpoint, policy: try policy(deployment), client: client, now: now)
  }

  @Test func `Reading takes over what the server changed`() throws {
    let old = try registered(answer())
    let elsewhere = "http://127.0.0.1:50000/callback"
    client.on(
      "GET", clientURI, 200,
      json:
        #"{"client_id":"c1","client_secret":"s2","registration_access_token":"rat2","redirect_uris":["\#(elsewhere)"]}"#
    )
    guard case .registered(let read, _?) = try status(old) else {
      Issue.record("the client is there")
      return
    }
    #expect(read.clientSecret == Secret("s2"))
    #expect(read.registrationAccessToken == Secret("rat2"))
    #expect(read.redirectURIs == [elsewhere])
    #expect(read.registrationClientURI == clientURI)
    #expect(client.isFinished)
  }

  @Test(arguments: [
    (200, "<html>"), (200, #"{"client_id":"c2"}"#), (404, #"{"message":"Route not found."}"#),
    (500, ""), (401, "<html>portal</html>"), (403, #"{"error":"invalid_token"}"#),
    (302, ""), (429, ""), (200, "{}"),
  ])
  func `Where the server does not speak of the client, nothing is known`(
    _ status: Int, _ body: String
  ) throws {
    let old = try registered(answer())
    client.on("GET", clientURI, status, json: body)
    guard case .unknown = try self.status(old) else {
      Issue.record("\(status) \(body) says nothing")
      return
    }
    #expect(client.isFinished)
  }

  @Test func `A client is gone only when its own address and the token endpoint say so`() throws {
    let old = try registered(answer())
    let refusal = #"{"error":"invalid_token"}"#
    client.on("GET", clientURI, 401, json: refusal)
    client.on("POST", tokenEndpoint, 401, json: #"{"error":"invalid_client"}"#)
    client.on("POST", tokenEndpoint, 401, json: #"{"error":"invalid_client"}"#)
    #expect(try status(old) == .gone)
    // Only the registration access token is bad.
    client.on("GET", clientURI, 401, json: refusal)
    client.on("POST", tokenEndpoint, 400, json: #"{"error":"invalid_grant"}"#)
    #expect(try status(old) == .registered(old, nil))
    #expect(client.form["grant_type"] == "authorization_code")
    for (code, body) in [(503, ""), (404, #"{"message":"Route not found."}"#)] {
      client.on("GET", clientURI, 401, json: refusal)
      client.on("POST", tokenEndpoint, code, json: body)
      guard case .unknown = try status(old) else {
        Issue.record("nobody has said that the client is gone")
        continue
      }
    }
    #expect(client.isFinished)
  }

  @Test func `A registration made by hand, or of another deployment, is asked about nowhere`()
    throws
  {
    let manual = ClientRegistration(
      clientID: "c", redirectURIs: [], tokenEndpointAuthMethod: .none)
    guard case .unknown = try status(manual) else { throw OAuthError.timedOut }
    // A kept address is checked again before the token goes there.
    let old = try registered(answer())
    guard case .unknown(.foreignEndpoint?) = try status(old, at: "https://other.example") else {
      throw OAuthError.timedOut
    }
    #expect(client.isFinished)
  }

  @Test func `An update sends back everything that the server returned`() throws {
    let old = try registered(answer())
    client.on(
      "GET", clientURI, 200,
      json:
        #"{"client_id":"c1","client_name":"Renamed \"by\" an administrator","client_secret":"s","client_id_issued_at":1,"client_secret_expires_at":0,"registration_client_uri":"\#(clientURI)","registration_access_token":"rat2","redirect_uris":["\#(redirect)"],"scope":["coder:all","x"],"contacts":["a@b"],"jwks":{"keys":[{"e":1.50,"ok":true}]},"logo_uri":null,"post_logout_redirect_uris":[],"other":{},"policy_uri":"","grant_types":["authorization_code"]}"#
    )
    guard case .registered(let current, let details) = try status(old) else {
      Issue.record("the client is there")
      return
    }
    let moved = "http://127.0.0.1:50000/callback"
    client.on("PUT", clientURI, 200, json: #"{"client_id":"c1","redirect_uris":["\#(moved)"]}"#)
    let new = try current.update(
      RegistrationRequest(
        clientName: "x", redirectURIs: [moved], tokenEndpointAuthMethod: .clientSecretPost),
      keeping: details, policy: policy(), client: client, now: now)
    #expect(new.redirectURIs == [moved])
    #expect(new.registrationAccessToken == Secret("rat2"))
    #expect(
      client.requests.last?.headers.contains(HTTPField("Authorization", "Bearer rat2")) == true)
    #expect(client.json["client_name"] as? String == "Renamed \"by\" an administrator")
    #expect(client.json["redirect_uris"] as? [String] == [moved])
    #expect(client.json["scope"] as? String == "coder:all x")
    #expect(client.json["contacts"] as? [String] == ["a@b"])
    #expect(client.json["grant_types"] as? [String] == ["authorization_code"])
    let body = String(decoding: client.requests.last?.body ?? [], as: UTF8.self)
    #expect(body.contains(#""jwks":{"keys":[{"e":1.50,"ok":true}]}"#))
    for name in [
      "client_secret", "client_secret_expires_at", "client_id_issued_at",
      "registration_access_token", "registration_client_uri", "logo_uri",
      "post_logout_redirect_uris", "other", "policy_uri",
    ] { #expect(client.json[name] == nil, "\(name)") }
    #expect(client.isFinished)
  }

  @Test func `An update about another client is malformed`() throws {
    let old = try registered(answer())
    client.on("PUT", clientURI, 200, json: #"{"client_id":"c2"}"#)
    #expect(throws: OAuthError.self) {
      try old.update(request, keeping: nil, policy: policy(), client: client, now: now)
    }
  }

  @Test func `Deleting proves itself with the registration access token`() throws {
    let registration = try registered(answer())
    client.on("DELETE", clientURI, 204)
    try registration.delete(policy: policy(), client: client, now: now)
    #expect(client.requests.last?.body == nil)
    #expect(
      client.requests.last?.headers.contains(HTTPField("Authorization", "Bearer rat")) == true)

    client.on("DELETE", clientURI, 401, json: #"{"error":"invalid_token"}"#)
    #expect(throws: OAuthError.refused(ErrorResponse(code: "invalid_token"), status: 401)) {
      try registration.delete(policy: policy(), client: client, now: now)
    }
    client.on("DELETE", clientURI, 302, ["Location": "https://evil.test/?x"])
    #expect(throws: OAuthError.redirected(status: 302, to: "https://evil.test/")) {
      try registration.delete(policy: policy(), client: client, now: now)
    }
    // A kept address is checked again before the token goes there.
    #expect(throws: OAuthError.self) {
      try registration.delete(policy: policy("https://other.example"), client: client, now: now)
    }
    #expect(client.isFinished)
  }
}
