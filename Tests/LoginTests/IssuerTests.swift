import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Whom a login believes to be whom, and where it lets secrets go.
@Suite(.blocking) struct `The issuer` {
  private static func typed(_ desk: Desk) -> String { "http://localhost:\(desk.deployment.port)" }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `Another address of the deployment is accepted only when that is asked for`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      let typed = Self.typed(desk)
      let refused = try desk.run(["login", typed], environment: desk.browser())
      #expect(refused.status == 76)
      #expect(refused.message("error") == "\(typed) says that it is \(desk.url)")
      #expect(refused.message("hint")?.contains("--accept-issuer") == true)
      #expect(
        desk.deployment.registrationRequests == 0 && desk.deployment.authorizationRequests == 0)
      let accepted = try desk.run(
        ["login", typed, "--accept-issuer"], environment: desk.browser())
      #expect(accepted.status == 0, "\(accepted.stderr)")
      #expect(accepted.stderr.contains("\(typed) says that it is \(desk.url); signing in there."))
      #expect(try desk.sessions().map { $0.attributes["deployment"] } == [desk.url])
      #expect(try desk.registration().attributes["deployment"] == desk.url)
      try desk.token()
    }
  }

  @Test func `A trailing slash alone is no other issuer`() throws {
    try Desk.with { desk in
      desk.deployment.change { $0.accessURL = desk.url + "/" }
      try desk.login()
      #expect(try desk.sessions().map { $0.attributes["deployment"] } == [desk.url])
      try desk.token("--min-ttl", "31536000")
    }
  }

  @Test func `An issuer that http would make readable is refused even if accepted`() throws {
    try Desk.with { desk in
      desk.deployment.inject(
        .mergePatch(#"{"issuer":"http://coder.example.test"}"#), at: .metadata, times: 9)
      try desk.login("--accept-issuer", status: 65)
    }
  }

  @Test(arguments: DeploymentSimulator.WellKnownForm.allCases)
  func `A deployment below a path is found in either form, and lives there`(
    form: DeploymentSimulator.WellKnownForm
  ) throws {
    var settings = DeploymentSimulator.Settings(era: form == .inserted ? .b : .c)
    settings.basePath = "/team/coder"
    settings.wellKnownForms = [form]
    try Desk.with(.unlocked, settings) { desk in
      try desk.login()
      #expect(try desk.sessions().map { $0.attributes["deployment"] } == [desk.url])
      try desk.token("--min-ttl", "31536000")
      // Its neighbour at the root is none of ours.
      let root = "http://127.0.0.1:\(desk.deployment.port)"
      #expect(try desk.run(["token", root]).status == 1)
    }
  }

  @Test func `http and https of one host are two deployments`() throws {
    try Desk.with { desk in
      try desk.login()
      let secure = desk.url.replacingOccurrences(of: "http:", with: "https:")
      #expect(try desk.run(["token", secure]).status == 1)
      let asked = try desk.run(["get"], input: "url=\(secure)\n\n")
      #expect(asked.status == 0 && asked.output.isEmpty)
    }
  }

  @Test(arguments: ["token_endpoint", "authorization_endpoint", "registration_endpoint"])
  func `An endpoint elsewhere is refused unless its site was allowed`(name: String) throws {
    try Desk.with { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      let patch = #"{"\#(name)":"\#(other.url)/oauth2/tokens"}"#
      desk.deployment.inject(.mergePatch(patch), at: .metadata, times: 9)
      let refused = try desk.login(status: 76)
      #expect(
        refused.message("error")?.contains("the \(name) is not part of the deployment") == true)
      #expect(refused.message("hint")?.contains("allowed-origins") == true)
      #expect(
        other.requests.isEmpty && desk.deployment.registrationRequests == 0
          && desk.deployment.authorizationRequests == 0)
      // The page of another deployment answers nothing.
      let seconds = name == "authorization_endpoint" ? 1 : 60
      try desk.configure(
        "allowed-origins=https://a.example \(other.url)\nsign-in-timeout=\(seconds)")
      _ = try desk.run(["login", desk.url], environment: desk.browser())
      #expect(other.requests.isEmpty == false || name == "authorization_endpoint")
      #expect(desk.deployment.registrationRequests == (name == "registration_endpoint" ? 0 : 1))
    }
  }

  @Test func `A resource is sent alike at every step, or nowhere`() throws {
    try Desk.with { desk in
      try desk.configure("resource=\(desk.url)")
      try desk.login()
      try desk.token("--min-ttl", "31536000")
      let log = desk.deployment.requests
      #expect(
        log.filter { $0.path == "/oauth2/authorize" }.allSatisfy {
          $0.query["resource"] == desk.url
        })
      #expect(log.tokenRequests().map { $0.form["resource"] } == [desk.url, desk.url])
    }
  }

  @Test(arguments: ["&iss=https://evil.example", "&iss=", ""])
  func `A callback from another issuer, or without the promised one, is not used`(
    iss: String
  ) throws {
    try Desk.with { desk in
      desk.deployment.inject(
        .mergePatch(#"{"authorization_response_iss_parameter_supported":true}"#), at: .metadata)
      let waiting = try WaitingLogin(desk, ["--accept-issuer"])
      let state = try waiting.parameter("state")
      #expect(try waiting.open("code=x&state=\(state)\(iss)").status == 400)
      // Not the exit of a deployment with another address: there is nothing to accept here.
      waiting.expectEnd(
        76, saying: iss.contains("evil") ? "comes from https://evil.example" : "issuer")
      #expect(!waiting.output.contains("--accept-issuer"))
      #expect(desk.deployment.requests.tokenRequests().isEmpty)
    }
  }

  @Test func `The right issuer is welcome, and nothing that another one says is shown`() throws {
    try Desk.with { desk in
      let waiting = try WaitingLogin(desk)
      let callback = try desk.deployment.callback(of: waiting.address())
      #expect(try Exchange.send("GET", "\(callback)&iss=\(desk.url)").status == 200)
      waiting.expectEnd(0)
      let failing = try WaitingLogin(desk)
      let state = try failing.parameter("state")
      _ = try failing.open("error=access_denied&state=\(state)&iss=https://evil.example")
      failing.expectEnd(76, saying: "comes from https://evil.example")
      let unsigned = try WaitingLogin(desk)
      _ = try unsigned.open("error=access_denied&state=\(try unsigned.parameter("state"))")
      unsigned.expectEnd(77, saying: "access was denied")
    }
  }
}
