import HTTP
import OAuth
import Secrets
import Testing

@Suite struct `Where secrets may go` {
  private func accepts(
    _ url: String, of deployment: String, allowed: Set<String> = []
  ) throws -> Bool {
    let policy = try EndpointPolicy(deployment: deployment, allowedOrigins: allowed)
    do throws(OAuthError) {
      return try policy.endpoint(url, named: "token_endpoint").url == url
    } catch {
      guard case .foreignEndpoint(name: "token_endpoint", url: _) = error else { throw error }
      return false
    }
  }

  @Test(arguments: [
    ("https://h.example/coder", "https://h.example/coder/oauth2/tokens"),
    ("https://h.example/coder/", "https://h.example/coder/oauth2/tokens"),
    ("https://h.example/coder", "https://h.example/coder"),
    ("https://h.example/coder", "https://h.example/coder/"),
    ("https://h.example/coder", "https://H.example:443/coder/x?y=/../z"),
    ("https://h.example", "https://h.example"), ("https://h.example", "https://h.example/x"),
    ("https://h.example/", "https://h.example//x"),
    ("http://127.0.0.1:3000", "http://127.0.0.1:3000/x"),
  ])
  func `An endpoint at or below the deployment's URL is its own`(
    _ deployment: String, _ url: String
  ) throws {
    #expect(try accepts(url, of: deployment))
  }

  @Test(arguments: [
    "https://h.example/evil/oauth2/tokens", "https://h.example/coderx", "https://h.example/",
    "https://h.example/coder/../evil", "https://h.example/coder/..%2fevil",
    "https://h.example/coder/%2e%2e/evil", "https://h.example/coder/.%2E/evil",
    "https://h.example/coder/%252e%252e/evil", "https://h.example/coder/..;/evil",
    "https://h.example/coder/..;a=b/evil", "https://h.example/coder/%2e%2e%5cevil",
    "https://h.example/coder/..%5Cevil", "https://h.example/coder/x/..",
    "https://h.example/coder/.",
    "https://h.example/coder/%zz", "https://h.example/Coder/x", "https://h.example/%63oder/x",
    "https://h.example//coder/x", "https://h.example:8443/coder/x", "http://h.example/coder/x",
    "https://evil.test/coder/x", "https://h.example.evil.test/coder/x",
  ])
  func `What may be a neighbour's is refused, however it is spelled`(_ url: String) throws {
    #expect(try !accepts(url, of: "https://h.example/coder"))
  }

  @Test func `What the user allows is allowed from its path on`() throws {
    let allowed: Set = ["https://login.example/realm", "https://h.example"]
    for url in ["https://login.example/realm/token", "https://h.example/oauth2/tokens"] {
      #expect(try accepts(url, of: "https://h.example/coder", allowed: allowed))
      #expect(try !accepts(url, of: "https://h.example/coder"))
    }
    for url in [
      "https://login.example/other/token", "https://login.example/realm/../other",
      "https://login.example/realmx",
    ] {
      #expect(try !accepts(url, of: "https://h.example/coder", allowed: allowed))
    }
  }

  @Test func `The deployment's own API is reached below its URL alone`() throws {
    let policy = try EndpointPolicy(deployment: "https://h.example/coder/")
    #expect(
      try policy.api("/api/v2/users/me?a=b").url == "https://h.example/coder/api/v2/users/me?a=b")
    for path in [
      "/..%2fneighbour/x", "/%2e%2e%2fneighbour", "/.%2e%2fx", "/../x", "/x/..;/../..", "/..%5cx",
      "/%252e%252e/x",
    ] {
      #expect(throws: OAuthError.self) { try policy.api(path) }
    }
    for path in ["", "x", "@evil.test/", ".evil.test/", ":8080/x", "/a b", "/#x"] {
      #expect(throws: OAuthError.self) { try policy.api(path) }
    }
    let root = try EndpointPolicy(deployment: "https://h.example")
    #expect(try root.api("/api/v2/files/a%2Fb").url == "https://h.example/api/v2/files/a%2Fb")
  }

  @Test func `A token is sent with a request to a checked endpoint`() throws {
    let request = try EndpointPolicy(deployment: "https://h.example").api("/api/v2/users/me")
      .request("POST", bearer: Secret("t"), headers: [HTTPField("X", "y")], body: [1])
    #expect(request.url == "https://h.example/api/v2/users/me")
    #expect(request.method == "POST")
    #expect(request.headers == [HTTPField("Authorization", "Bearer t"), HTTPField("X", "y")])
    #expect(request.body == [1])
  }

  @Test(arguments: ["", "dev.coder.com", "file:///x", "https://h.example?x", "https://u@h.example"])
  func `A deployment that is no plain URL has no policy`(_ deployment: String) {
    #expect(throws: OAuthError.self) { try EndpointPolicy(deployment: deployment) }
  }

  // Everything that carries a secret, against endpoints that were moved since they were stored.
  @Test func `Nothing is sent to an endpoint that has been moved elsewhere`() throws {
    let client = ScriptedClient()
    let policy = try EndpointPolicy(deployment: "https://dev.coder.com")
    for url in ["https://evil.test/x", "http://dev.coder.com/x", "https://dev.coder.com:8443/x"] {
      #expect(throws: OAuthError.self) {
        try TokenEndpoint(
          policy.endpoint(url, named: "token_endpoint"), authentication: .identifier("c")
        ).refresh(Secret("r"), client: client, now: now)
      }
      #expect(throws: OAuthError.self) {
        try Revocation(
          policy.endpoint(url, named: "revocation_endpoint"), authentication: .identifier("c")
        ).revoke(accessToken: Secret("a"), refreshToken: Secret("r"), client: client, now: now)
      }
      let registration = ClientRegistration(
        clientID: "c", clientSecret: Secret("s"), registrationAccessToken: Secret("rat"),
        registrationClientURI: url, redirectURIs: [], tokenEndpointAuthMethod: .clientSecretPost)
      let request = RegistrationRequest(
        clientName: "x", redirectURIs: ["http://127.0.0.1:1/callback"],
        tokenEndpointAuthMethod: .clientSecretPost)
      #expect(throws: OAuthError.self) {
        try registration.update(
          request, keeping: nil, policy: policy, client: client, now: now)
      }
      #expect(throws: OAuthError.self) {
        try registration.delete(policy: policy, client: client, now: now)
      }
      let status = registration.status(
        tokenEndpoint: url, policy: policy, client: client, now: now)
      guard case .unknown(.foreignEndpoint?) = status else {
        Issue.record("\(url) was asked")
        continue
      }
    }
    #expect(client.requests.isEmpty)
  }
}
