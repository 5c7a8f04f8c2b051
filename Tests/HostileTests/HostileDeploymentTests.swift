import DeploymentSimulator
import SessionFakes
import TestDesk
import Testing

/// A field of a response of the deployment.
private struct Field: Sendable {
  let endpoint: DeploymentSimulator.Endpoint
  let name: String

  static let all: [Field] =
    fields(
      .metadata,
      "issuer authorization_endpoint token_endpoint registration_endpoint revocation_endpoint "
        + "response_types_supported grant_types_supported code_challenge_methods_supported "
        + "token_endpoint_auth_methods_supported scopes_supported")
    + fields(
      .registration,
      "client_id client_secret client_secret_expires_at redirect_uris registration_access_token "
        + "registration_client_uri token_endpoint_auth_method grant_types client_name scope")
    + fields(.exchange, tokens) + fields(.refresh, tokens)
    + fields(.account, "id username email name status")

  private static let tokens = "access_token token_type expires_in expiry refresh_token scope error"

  private static func fields(
    _ endpoint: DeploymentSimulator.Endpoint, _ names: String
  ) -> [Field] {
    names.split(separator: " ").map { Field(endpoint: endpoint, name: String($0)) }
  }
}

/// The built programs, at a deployment that puts anything into any field of what it says.
@Suite(.blocking) struct `A hostile deployment` {
  @Test(arguments: 1...4)
  func `leads nobody elsewhere, learns nothing, and breaks no line of ours`(_ seed: UInt64) throws {
    try Desk.with { desk in
      let elsewhere = try desk.anotherDeployment()
      defer { elsewhere.stop() }
      let values = HostileValues.all(elsewhere: elsewhere.url)
      let browser = try desk.browser()
      var chance = Chance(seed)
      for _ in 0..<rounds(5, full: 400) {
        // One at a time and in pairs.
        let damages = (0...chance.below(2)).map { _ in
          (field: chance.one(of: Field.all), value: chance.one(of: values))
        }
        for (field, value) in damages {
          desk.deployment.changeResponses(at: field.endpoint) { response, _ in
            response.setMembers("{\"\(field.name)\":\(value)}")
          }
        }
        let what = damages.map { "\($0.field.name)=\($0.value.prefix(60))" }.joined(separator: ", ")
        try check(desk, browser, what)
        desk.deployment.clearFaults()
        #expect(elsewhere.requests.isEmpty, "\(what): \(elsewhere.requests)")
        elsewhere.clearLog()
        // Whatever it came to, there is a way on.
        try desk.forgetLearnt()
        let out = try desk.run(["logout", "--all", "--force"])
        #expect(out.status == 0, "\(what): \(out.stderr)")
        #expect(try desk.desktop.items().isEmpty, "\(what)")
      }
      try desk.login()
      try desk.token()
    }
  }

  /// Signs in, and does what tools and people do then.
  private func check(_ desk: Desk, _ browser: [String: String], _ what: String) throws {
    let signedIn = try desk.run(["login", desk.url], environment: browser)
    expectPlainText(signedIn, what)
    for arguments in [
      ["token", desk.url], ["refresh", desk.url], ["status", "--check"], ["list"],
    ] {
      expectPlainText(try desk.run(arguments), "\(what): \(arguments)")
    }
    let got = try desk.run(["get"], input: desk.request("capability[]=authtype"))
    expectPlainText(got, "\(what): get")
    let keys: Set<Substring> = [
      "capability[]", "authtype", "credential", "ephemeral", "username", "password",
      "password_expiry_utc",
    ]
    for line in got.lines {
      #expect(keys.contains(line.prefix { $0 != "=" }), "\(what): a line of somebody else's")
    }
  }

  /// Expects nothing that steers a terminal.
  private func expectPlainText(_ result: CommandResult, _ what: String) {
    let bytes = result.output + result.errors
    #expect(
      bytes.allSatisfy { $0 == 0x0A || $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }, "\(what)")
  }
}

extension Desk {
  /// What was learned of failures is forgotten, if there was any.
  fileprivate func forgetLearnt() throws {
    if (try? runtimeFiles(".history")) != nil { try forgetFailures() }
  }
}
