import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Deployments whose responses are wrong, or no responses at all.
@Suite(.blocking) struct `A deployment that misbehaves` {
  private typealias Fault = (
    what: String, fault: DeploymentSimulator.Fault, at: DeploymentSimulator.Endpoint,
    status: Int32
  )

  private func newline(_ desk: Desk) -> DeploymentSimulator.Fault {
    .mergePatch(#"{"access_token":"\#(desk.plant())\nX-Injected: yes"}"#)
  }

  @Test func `A login that it spoils keeps nothing`() throws {
    try Desk.with { desk in
      let faults: [Fault] = [
        ("a token with a newline", newline(desk), .exchange, 76),
        ("no token", .mergePatch(#"{"access_token":null}"#), .exchange, 76),
        ("a page for a token", .htmlPage, .exchange, 76),
        ("a huge token", .hugeBody(mebibytes: 2), .exchange, 76),
        ("an exchange refused", .oauthErrorIn200("invalid_grant"), .exchange, 76),
        ("an exchange that breaks off", .drop, .exchange, 75),
        ("a page for a registration", .htmlPage, .registration, 76),
        ("a page for metadata", .htmlPage, .metadata, 76),
        ("metadata that is not JSON", .invalidJSON, .metadata, 76),
        ("a foreign endpoint", foreign, .metadata, 76),
        ("an overloaded server", .status(503), .metadata, 75),
        ("too many requests", .status(429, headers: ["Retry-After": "7"]), .metadata, 75),
        ("no HTTP", .garbage, .metadata, 75),
      ]
      for fault in faults {
        desk.deployment.inject(fault.fault, at: fault.at, times: 9)
        let result = try desk.run(["login", desk.url], environment: desk.browser())
        desk.deployment.clearFaults()
        expectLoginFailure(result, fault.status, fault.what)
        #expect(try desk.desktop.items().isEmpty, "\(fault.what)")
      }
    }
  }

  private let foreign = DeploymentSimulator.Fault.mergePatch(
    #"{"token_endpoint":"https://evil.example.com/oauth2/tokens"}"#)

  @Test func `An issuer that is not the deployment ends a login before anybody is asked`() throws {
    for issuer in ["https://evil.example.com", "http://127.0.0.1:1", "http://localhost"] {
      var settings = DeploymentSimulator.Settings()
      settings.accessURL = issuer
      try Desk.with(.unlocked, settings) { desk in
        let result = try desk.run(["login", desk.url], environment: desk.browser())
        expectLoginFailure(result, 76, issuer)
        #expect(result.stderr.contains(issuer))
        #expect(desk.deployment.registeredClients.isEmpty)
        #expect(try desk.desktop.items().isEmpty)
      }
    }
  }

  @Test func `A refreshed token with a newline is never stored nor handed out`() throws {
    try Desk.with { desk in
      try desk.login()
      let rejected = try desk.token()
      try desk.run(["erase"], input: desk.request("username=alice", "password=\(rejected)"))
      let before = try tokens(desk)
      desk.deployment.inject(newline(desk), at: .refresh)
      expectFailure(try desk.run(["get", desk.url]), 76)
      #expect(try tokens(desk) == before)
      // The server has spent the refresh token; what is left is to say so.
      expectFailure(try desk.run(["get", desk.url]), 1, saying: "coder-cred login \(desk.url)")
    }
  }

  @Test func `Nobody listening is a reason to try again later`() throws {
    try Desk.with { desk in
      try desk.login()
      let token = try desk.token()
      try desk.run(["erase"], input: desk.request("username=alice", "password=\(token)"))
      desk.deployment.stop()
      let before = try tokens(desk)
      expectFailure(try desk.run(["get", desk.url]), 75)
      expectLoginFailure(try desk.run(["login", desk.url], environment: desk.browser()), 75)
      #expect(try tokens(desk) == before)
    }
  }

  /// What of the session must not be lost; the mark of a refresh may come and go.
  private func tokens(_ desk: Desk) throws -> [String] {
    let payload = try desk.desktop.item().payload
    return ["access_token", "refresh_token", "client_id", "account", "stale"].map {
      "\($0)=\(payload[$0] ?? "none")"
    }
  }
}
