import DeploymentSimulator
import TestDesk
import Testing

/// A deployment below a path has neighbours on its host.
@Suite(.blocking) struct `A deployment below a path` {
  private static func settings(
    _ forms: Set<DeploymentSimulator.WellKnownForm> = [.inserted, .appended]
  ) -> DeploymentSimulator.Settings {
    var settings = DeploymentSimulator.Settings()
    settings.basePath = "/coder"
    settings.wellKnownForms = forms
    return settings
  }

  @Test(arguments: [
    "/..%2fneighbour/x", "/%2e%2e%2fneighbour/x", "/.%2e%2fneighbour", "/../neighbour/x",
    "/..%5cneighbour", "/..;/neighbour", "/%252e%252e%252fneighbour", "/api/..%2f..%2fneighbour",
    "/%2e%2e;x=y/neighbour", "/a/%2E%2E/../neighbour?x=/coder",
  ])
  func `keeps its token from its neighbours`(path: String) throws {
    try Desk.withSession(Self.settings()) { desk in
      let result = try desk.run(["api", path])
      #expect(result.status == 64 && result.output.isEmpty, "\(result.stderr)")
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test func `is still asked what is its own`() throws {
    try Desk.withSession(Self.settings()) { desk in
      for path in ["/api/v2/users/me", "/api/v2/users/me?q=/../x", "/api/v2/users/%6de"] {
        let result = try desk.run(["api", path])
        #expect(result.status == 0, "\(path): \(result.stderr)")
      }
    }
  }

  /// What the root's document says of the deployment.
  private static func pointElsewhere(_ desk: Desk, in names: [String]) {
    let root = "http://127.0.0.1:\(desk.deployment.port)"
    let members = names.map { #""\#($0)":"\#(root)/evil/\#($0)""# }.joined(separator: ",")
    desk.deployment.inject(.mergePatch("{\(members)}"), at: .metadata, times: 9)
  }

  @Test(arguments: [
    ["authorization_endpoint", "token_endpoint", "registration_endpoint"], ["token_endpoint"],
    ["registration_endpoint"], ["authorization_endpoint"], ["revocation_endpoint"],
  ])
  func `sends nothing to endpoints of a neighbour that its host's root names`(
    names: [String]
  ) throws {
    try Desk.with(.unlocked, Self.settings([.inserted])) { desk in
      Self.pointElsewhere(desk, in: names)
      try desk.login(status: 76)
      // Requests to a neighbour have no path below the deployment's.
      #expect(!desk.deployment.requests.contains { $0.path.isEmpty && !$0.body.isEmpty })
      #expect(desk.deployment.registrationRequests == 0)
      #expect(desk.deployment.authorizationRequests == 0)
    }
  }

  @Test func `is asked for its own document before the root is`() throws {
    try Desk.with(.unlocked, Self.settings()) { desk in
      try desk.login()
      // The first one is enough, and it is not the root's.
      let documents = desk.deployment.requests.filter { $0.path.hasPrefix("/.well-known/") }
      #expect(documents.count == 1)
    }
  }
}
