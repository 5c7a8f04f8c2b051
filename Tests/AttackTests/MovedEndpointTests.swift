import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Between storing a session and using it, everything that a deployment or an item named points
/// elsewhere.
@Suite(.blocking) struct `Endpoints that were moved since the sign-in` {
  /// Where to: from a URL of the deployment and another's to the one that is named now.
  struct Move: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let target: @Sendable (_ desk: Desk, _ other: DeploymentSimulator) -> String

    static let all = [
      Move(testDescription: "another origin") { $1.url },
      Move(testDescription: "a name that looks alike") {
        "http://\(hostAndPort($0))@\(hostAndPort($1))"
      },
      Move(testDescription: "a neighbour on the host") { desk, _ in
        "http://\(hostAndPort(desk))/neighbour"
      },
      Move(testDescription: "out of the path and back") { desk, _ in "\(desk.url)/..%2fneighbour" },
    ]

    private static func hostAndPort(_ desk: Desk) -> String { "127.0.0.1:\(desk.deployment.port)" }
    private static func hostAndPort(_ other: DeploymentSimulator) -> String {
      "127.0.0.1:\(other.port)"
    }
  }

  /// Requests with secrets, each by the command that makes it.
  private static let commands = [
    ["refresh"], ["token", "--min-ttl", "31536000"], ["get", "--min-ttl", "31536000"],
    ["api", "/api/v2/users/me"], ["status", "--check"], ["login"], ["logout"],
    ["logout", "--keep-client"], ["logout", "--revoke", "--all"],
  ]

  /// Points everything there is to `target`.
  private static func move(_ desk: Desk, to target: String) throws {
    let endpoints = [
      "authorization_endpoint": "/oauth2/authorize", "token_endpoint": "/oauth2/tokens",
      "registration_endpoint": "/oauth2/register", "revocation_endpoint": "/oauth2/revoke",
      "registration_client_uri": "/oauth2/clients/x", "jwks_uri": "/jwks",
    ]
    let moved = endpoints.mapValues { target + $0 }
    let client = try desk.registration()
    try desk.desktop.change(client, moved.filter { client.payload[$0.key] != nil })
    #expect(client.payload.keys.contains("token_endpoint"))
    #expect(client.payload.keys.contains("registration_client_uri"))
    // What the deployment says from now on, in metadata and registrations.
    let patch = String(
      decoding: try JSONSerialization.data(withJSONObject: moved), as: UTF8.self)
    for endpoint in [
      DeploymentSimulator.Endpoint.metadata, .clientConfiguration, .registration,
    ] {
      desk.deployment.inject(.mergePatch(patch), at: endpoint, times: 99)
    }
    // The API redirects there, in the way that repeats a request with its body.
    desk.deployment.inject(.redirect(to: target, status: 307), at: "/api/v2/*", times: 99)
  }

  @Test(arguments: Move.all, commands)
  func `are given no secret`(move: Move, command: [String]) throws {
    var settings = DeploymentSimulator.Settings(era: .c)
    settings.basePath = "/coder"
    try Desk.withSession(settings) { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      let target = move.target(desk, other)
      try Self.move(desk, to: target)
      let isURLNamed = !["api", "logout"].contains(command[0]) || command == ["logout"]
      _ = try desk.run(
        command
          + (isURLNamed ? [desk.url] : ["--url", desk.url].filter { _ in command[0] == "api" }),
        environment: desk.browser())
      #expect(other.requests.isEmpty, "\(other.requests)")
      // What does not lie below the deployment has no path in its log.
      for request in desk.deployment.requests
      where request.path.isEmpty || request.path.contains("..") {
        let sent =
          String(decoding: request.body, as: UTF8.self) + request.headers.values.joined()
        #expect(!desk.canary.isIn(sent), "\(request)")
        #expect(request.headers["authorization"] == nil && request.form["code"] == nil)
      }
      // The session is as good as before, unless it was ended on purpose.
      if command[0] != "logout" { #expect(try desk.sessions().count == 1) }
    }
  }

  @Test func `and were allowed then are not allowed any more`() throws {
    try Desk.with { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      try desk.configure("allowed-origins=\(other.url)")
      try desk.login()
      let client = try desk.registration()
      try desk.desktop.change(client, "token_endpoint", to: "\(other.url)/oauth2/tokens")
      _ = try desk.run(["refresh", desk.url])
      // While it is allowed, a refresh goes there.
      #expect(!other.requests.tokenRequests().isEmpty)
      other.clearLog()
      try desk.configure("allowed-origins=")
      for arguments in [["refresh", desk.url], ["logout", desk.url]] {
        _ = try desk.run(arguments)
        #expect(other.requests.isEmpty)
      }
    }
  }
}
