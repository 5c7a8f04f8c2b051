import DeploymentSimulator
import TestDesk
import Testing

/// What a deployment says of the client that it registers.
@Suite(.blocking) struct `An answer to a registration` {
  private static let long = String(repeating: "n", count: 1 << 20)

  @Test(arguments: [
    #"{"client_id":null}"#, #"{"client_id":""}"#, #"{"client_id":7}"#, #"{"client_id":["a"]}"#,
    #"{"client_secret":"a b"}"#, #"{"client_secret":{"a":1}}"#,
    #"{"redirect_uris":["https://evil.test/callback"]}"#,
    #"{"redirect_uris":["http://127.0.0.1.evil.test/callback"]}"#, #"{"redirect_uris":[7]}"#,
    #"{"token_endpoint_auth_method":"private_key_jwt"}"#,
    #"{"token_endpoint_auth_method":"tls_client_auth"}"#,
    #"{"registration_access_token":"a\nb"}"#, #"{"client_name":"LONG"}"#,
  ])
  func `that is not for what was asked for makes no client`(patch: String) throws {
    try Desk.with { desk in
      desk.deployment.inject(
        .mergePatch(patch.replacing("LONG", with: Self.long)), at: .registration, times: 9)
      let result = try desk.run(
        ["login", desk.url, "--method", "oauth"], environment: desk.browser())
      expectLoginFailure(result, 76, patch)
      #expect(try desk.desktop.items().isEmpty)
      #expect(desk.deployment.authorizationRequests == 0)
    }
  }

  /// The registration access token could change where responses go.
  @Test(arguments: ["OTHER/oauth2/clients/x", "//127.0.0.1:PORT/x", "http://127.0.0.1:PORT@OWN/x"])
  func `that names another place for its management is never managed there`(place: String) throws {
    try Desk.with { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      let uri = place.replacing("OTHER", with: other.url).replacing("PORT", with: "\(other.port)")
        .replacing("OWN", with: "127.0.0.1:\(desk.deployment.port)")
      desk.deployment.inject(
        .mergePatch(#"{"registration_client_uri":"\#(uri)"}"#), at: .registration, times: 9)
      try desk.login()
      desk.deployment.clearFaults()
      #expect(try desk.registration()["registration_client_uri"] == nil)
      for arguments in [["refresh", desk.url], ["login", desk.url], ["logout", desk.url]] {
        _ = try desk.run(arguments, environment: desk.browser())
      }
      #expect(other.requests.isEmpty, "\(other.requests)")
    }
  }

  @Test func `with a secret that has expired already is replaced, and no loop`() throws {
    try Desk.with { desk in
      desk.deployment.inject(
        .mergePatch(#"{"client_secret_expires_at":1}"#), at: .registration, times: 99)
      for _ in 1...3 {
        _ = try desk.run(["login", desk.url, "--method", "oauth"], environment: desk.browser())
      }
      #expect(desk.deployment.registrationRequests <= 6)
      #expect(try desk.registrations().count <= 1)
    }
  }

  /// Two deployments on one host are two, and each knows its own client alone.
  @Test func `is for one deployment, and not for its host`() throws {
    var settings = DeploymentSimulator.Settings()
    settings.basePath = "/a"
    try Desk.with(.unlocked, settings) { desk in
      var below = DeploymentSimulator.Settings()
      below.basePath = "/b"
      let other = try desk.anotherDeployment(below)
      defer { other.stop() }
      try desk.login()
      try desk.login(to: other.url)
      let clients = try desk.registrations()
      #expect(Set(clients.compactMap { $0["client_id"] }).count == 2)
      #expect(Set(clients.map { $0.attributes["deployment"] }) == [desk.url, other.url])
      for (one, another) in [(desk.deployment, other), (other, desk.deployment)] {
        one.clearLog()
        another.clearLog()
        #expect(try desk.run(["refresh", one.url]).status == 0)
        #expect(another.requests.isEmpty)
      }
      // The other ways to name the host are other deployments, which have no client.
      let port = desk.deployment.port
      for url in [
        "http://127.0.0.1:\(port)", "https://127.0.0.1:\(port)/a", "http://localhost:\(port)/a",
        "http://127.0.0.1:\(port)/a/b/../c",
      ] {
        let result = try desk.run(["token", url])
        #expect(result.output.isEmpty && [1, 65].contains(result.status), "\(url)")
      }
    }
  }
}
