import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What a deployment says of itself, and where it sends us.
@Suite(.blocking) struct `A document of a hostile deployment` {
  private static func signIn(_ desk: Desk, _ patch: String) throws -> CommandResult {
    desk.deployment.inject(.mergePatch(patch), at: .metadata, times: 9)
    defer { desk.deployment.clearFaults() }
    let opened = "\(desk.directory)/opened"
    let browser = try desk.browserScript("show", "printf '%s\\n' \"$@\" >>\(opened)")
    let result = try desk.run(["login", desk.url, "--method", "oauth"], environment: browser)
    #expect(!FileManager.default.fileExists(atPath: opened), "\(patch)")
    #expect(try desk.desktop.items().isEmpty, "\(patch)")
    return result
  }

  /// What a shell would run, another program would open, and an option would be taken for.
  @Test func `opens nothing but a web page of the deployment`() throws {
    try Desk.with { desk in
      let place = "127.0.0.1:\(desk.deployment.port)"
      for endpoint in [
        "file:///etc/passwd", "javascript:alert(1)", "--version", "-h", "http://x$(id)",
        "http://\(place)/;calc`id`", "https://h/|calc", "vscode://coder.coder-remote/open",
        "https://user:pass@\(place)/", "data:text/html,x", "//\(place)/x", "",
        "http://\(place)/x y", #"http://\#(place)/\"x"#, "http://\(place)/\\u0000", "coder://x",
        "http://\(place)\\u000a--version", "http://\(place)/../x", "ssh://-oProxyCommand=id/x",
      ] {
        let result = try Self.signIn(desk, #"{"authorization_endpoint":"\#(endpoint)"}"#)
        expectLoginFailure(result, 76, endpoint)
      }
    }
  }

  @Test func `of another issuer is none of the deployment's`() throws {
    try Desk.with { desk in
      let port = desk.deployment.port
      for issuer in [
        "https://evil.test", "http://127.0.0.1:1", "http://127.0.0.1:\(port)/x",
        "https://127.0.0.1:\(port)", "http://127.0.0.1.evil.test:\(port)",
        "http://127.0.0.1:\(port)@evil.test", "http://127.0.0.1:\(port)?x", "", "issuer",
        "http://127.0.0.1:\(port)//", "http://127.0.0.1:\(port)#x",
      ] {
        let result = try Self.signIn(desk, #"{"issuer":"\#(issuer)"}"#)
        expectLoginFailure(result, 76, issuer)
      }
    }
  }

  @Test(arguments: ["token_endpoint", "registration_endpoint", "revocation_endpoint"])
  func `sends no secret to another origin`(name: String) throws {
    try Desk.with { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      for place in [
        other.url, "http://127.0.0.1:\(desk.deployment.port)@127.0.0.1:\(other.port)",
        "http://localhost:\(desk.deployment.port)", "https://127.0.0.1:\(desk.deployment.port)",
        "http://coder.example.com", "https://[::1]:\(desk.deployment.port)",
      ] {
        let result = try Self.signIn(desk, #"{"\#(name)":"\#(place)/oauth2/x"}"#)
        expectLoginFailure(result, 76, place)
        #expect(other.requests.isEmpty && desk.deployment.registrationRequests == 0, "\(place)")
      }
    }
  }

  @Test func `cannot do without PKCE, nor weaken it`() throws {
    try Desk.with { desk in
      for methods in ["null", "[]", #"["plain"]"#, #"["s256"]"#, #""S256""#, #"{"S256":true}"#] {
        let patch = #"{"code_challenge_methods_supported":\#(methods)}"#
        expectLoginFailure(try Self.signIn(desk, patch), 76, methods)
      }
    }
  }

  /// A deployment that takes any verifier is sent a good one all the same.
  @Test func `is sent a verifier of its own with each sign-in`() throws {
    try Desk.with { desk in
      try desk.login()
      try desk.login()
      let verifiers = desk.deployment.requests.compactMap { $0.form["code_verifier"] }
      #expect(verifiers.count >= 2 && Set(verifiers).count == verifiers.count)
      let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
      for verifier in verifiers {
        #expect((43...128).contains(verifier.count) && verifier.allSatisfy(allowed.contains))
      }
    }
  }

  /// RFC 9728 names other servers; we ask for no such document, and none is followed.
  @Test func `about a protected resource leads to no other server`() throws {
    try Desk.with { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      let resource = #"{"resource":"https://evil.test","authorization_servers":["\#(other.url)"]}"#
      desk.deployment.inject(
        .response(ScriptedResponse(200, json: resource)),
        at: "GET /.well-known/oauth-protected-resource*", times: 9)
      desk.deployment.inject(
        .response(
          ScriptedResponse(
            401,
            fields: [
              (
                "WWW-Authenticate",
                #"Bearer resource_metadata="\#(other.url)/.well-known/oauth-protected-resource""#
              )
            ])), at: "GET /api/v2/buildinfo", times: 9)
      _ = try desk.run(["login", desk.url, "--method", "oauth"], environment: desk.browser())
      #expect(other.requests.isEmpty)
    }
  }
}

/// No request that carries a secret is repeated elsewhere, whatever the status says.
@Suite(.blocking) struct `A redirect` {
  private static let statuses = [301, 302, 303, 307, 308]

  /// Where to: another origin, the same by another scheme, and the same.
  private static func targets(_ desk: Desk, _ other: DeploymentSimulator) -> [String] {
    [
      "\(other.url)/x", "https://127.0.0.1:\(desk.deployment.port)/x", "\(desk.url)/elsewhere",
      "//127.0.0.1:\(other.port)/x", "/elsewhere", "http://evil.test/x",
    ]
  }

  @Test(arguments: statuses)
  func `is followed with no refresh token, code, token or secret`(status: Int) throws {
    try Desk.withSession { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      let requests = [
        (DeploymentSimulator.Endpoint.refresh, ["refresh", desk.url]),
        (.account, ["api", "/api/v2/users/me"]), (.account, ["status", "--check", desk.url]),
        (.exchange, ["login", desk.url, "--method", "oauth"]),
      ]
      for (index, target) in Self.targets(desk, other).enumerated() {
        // A sign-in takes longer, and need not be tried with each.
        for (endpoint, arguments) in requests where index == 0 || arguments[0] != "login" {
          desk.deployment.inject(.redirect(to: target, status: status), at: endpoint, times: 9)
          _ = try desk.run(arguments, environment: desk.browser())
          desk.deployment.clearFaults()
          try desk.forgetFailures()
          let what = "\(arguments[0]) to \(target)"
          #expect(other.requests.isEmpty, "\(what)")
          for request in desk.deployment.requests where request.path.hasSuffix("/elsewhere") {
            #expect(request.body.isEmpty && request.headers["authorization"] == nil, "\(what)")
          }
          #expect(try desk.sessions().count == 1, "\(what)")
        }
      }
    }
  }

  @Test(arguments: statuses)
  func `of a revocation is followed with no token`(status: Int) throws {
    try Desk.with { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      for target in [other.url, "/elsewhere"] {
        try desk.login()
        for endpoint in [DeploymentSimulator.Endpoint.revocation, .clientConfiguration] {
          desk.deployment.inject(.redirect(to: target, status: status), at: endpoint, times: 9)
        }
        _ = try desk.run(["logout", desk.url])
        desk.deployment.clearFaults()
        #expect(other.requests.isEmpty)
        #expect(!desk.deployment.requests.contains { $0.path.hasSuffix("/elsewhere") })
      }
    }
  }

  /// Of the metadata, where nothing is secret, one within the origin is followed, once.
  @Test(arguments: statuses)
  func `of the metadata leads to no other origin`(status: Int) throws {
    try Desk.with { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      for target in [
        "\(other.url)/.well-known/x", "//127.0.0.1:\(other.port)/x", "http://evil.test/x",
      ] {
        desk.deployment.inject(.redirect(to: target, status: status), at: .metadata, times: 9)
        try desk.login("--method", "oauth", status: 76)
        desk.deployment.clearFaults()
        #expect(other.requests.isEmpty && desk.deployment.registrationRequests == 0, "\(target)")
      }
    }
  }
}
