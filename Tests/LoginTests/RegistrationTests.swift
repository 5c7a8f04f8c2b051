import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// The OAuth client that a deployment knows this machine by.
@Suite(.blocking) struct `The registration` {
  private static func redirect(_ desk: Desk) throws -> String {
    try #require(try desk.registration()["redirect_uris"])
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `It is made once, for this machine, and its port is kept`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      try desk.login()
      let first = try desk.registration()
      let body = try #require(
        desk.deployment.requests.first { $0.path == "/oauth2/register" }?.body)
      let asked = try #require(
        try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
      #expect((asked["client_name"] as? String)?.hasPrefix("coder-cred on ") == true)
      try desk.login()
      #expect(try desk.registration() == first)
      #expect(desk.deployment.registrationRequests == 1)
      #expect(desk.deployment.requests.count { $0.method == "PUT" } == 0)
    }
  }

  @Test(arguments: DeploymentSimulator.Era.allCases, [false, true])
  func `A port that is taken is changed at the server`(
    era: DeploymentSimulator.Era, isGivenUp: Bool
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      try desk.login()
      let before = try Self.redirect(desk)
      let port = try #require(URLComponents(string: before)?.port)
      let listener = try LoopbackListener(port: port)
      if isGivenUp { try desk.login(browser: ["--deny"], status: 77) } else { try desk.login() }
      listener.close()
      let client = try desk.registration()
      let after = try Self.redirect(desk)
      #expect(after != before)
      let id = try #require(client["client_id"])
      #expect(desk.deployment.redirectURIs(ofClient: id) == [after])
      // What was given up is no reason to register again, nor to forget what the server was told.
      try desk.login()
      #expect(
        desk.deployment.registrationRequests == 1 && desk.deployment.registeredClients == [id])
      try desk.token("--min-ttl", "31536000")
    }
  }

  @Test(arguments: [.era, .asked] as [Chosen])
  func `A port can be chosen, and must be free`(chosen: Chosen) throws {
    try Desk.with(.unlocked, .init(era: .b)) { desk in
      let listener = try LoopbackListener()
      let port = listener.port
      let flags = chosen == .asked ? ["--port", "\(port)"] : []
      if chosen == .era { try desk.configure("redirect-port=\(port)") }
      let taken = try desk.run(["login", desk.url] + flags, environment: desk.browser())
      #expect(taken.status == 75 && taken.stderr.contains("port \(port) is in use"))
      #expect(desk.deployment.registrationRequests == 0)
      listener.close()
      let free = try desk.run(["login", desk.url] + flags, environment: desk.browser())
      #expect(free.status == 0, "\(free.stderr)")
      #expect(try Self.redirect(desk) == "http://127.0.0.1:\(port)/callback")
    }
  }

  enum Chosen { case era, asked }

  @Test func `A busy server's refusal to change it is no reason for another`() throws {
    try Desk.with(.unlocked, .init(era: .b)) { desk in
      try desk.login()
      let before = try desk.registration()
      let port = try #require(URLComponents(string: Self.redirect(desk))?.port)
      let listener = try LoopbackListener(port: port)
      desk.deployment.inject(.status(503), at: "PUT /oauth2/clients/*")
      try desk.login(status: 75)
      #expect(try desk.registration() == before && desk.deployment.registrationRequests == 1)
      // Refused for good, it is left for a new one, but only when that has brought a session.
      let no = #"{"error":"invalid_client_metadata"}"#
      desk.deployment.inject(.status(400, body: no), at: "PUT /oauth2/clients/*", times: 2)
      try desk.login(browser: ["--deny"], status: 77)
      #expect(try desk.registration() == before)
      try desk.token("--min-ttl", "31536000")
      try desk.login()
      #expect(try desk.registration()["client_id"] != before["client_id"])
      listener.close()
    }
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A client that the server forgot is registered anew before the browser opens`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      try desk.login()
      desk.deployment.deleteClient()
      try desk.login()
      #expect(
        desk.deployment.registrationRequests == 2 && desk.deployment.authorizationRequests == 2)
      try desk.token("--min-ttl", "31536000")
      #expect(desk.deployment.registeredClients.count == 1)
    }
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A registration token that the server refuses is no reason for another client`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      try desk.login()
      let before = try desk.registration()
      let refusal = #"{"error":"invalid_token"}"#
      desk.deployment.inject(.status(401, body: refusal), at: "GET /oauth2/clients/*", times: 9)
      desk.deployment.inject(.status(401, body: refusal), at: "PUT /oauth2/clients/*", times: 9)
      try desk.login()
      #expect(desk.deployment.registrationRequests == 1)
      #expect(try desk.registration()["client_id"] == before["client_id"])
      try desk.token("--min-ttl", "31536000")
    }
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A client whose secret is gone is replaced once, and not left at the server`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      try desk.login()
      let dead = try #require(try desk.registration()["client_id"])
      desk.deployment.deleteClientSecrets(dead)
      let said = try desk.login().stderr
      #expect(said.contains("no longer accepts this machine's client; making a new one"))
      #expect(
        desk.deployment.registrationRequests == 2 && desk.deployment.authorizationRequests == 3)
      #expect(try desk.deployment.registeredClients == [desk.registration()["client_id"]])
      try desk.token("--min-ttl", "31536000")
      // A server that refuses every client is not asked for ever.
      let refusal = #"{"error":"invalid_client"}"#
      desk.deployment.inject(.status(401, body: refusal), at: .exchange, times: 9)
      try desk.login(status: 77)
      #expect(
        desk.deployment.registrationRequests == 3 && desk.deployment.authorizationRequests == 5)
    }
  }

  @Test func `A secret that has expired is replaced before it is used`() throws {
    try Desk.with { desk in
      try desk.login()
      try desk.desktop.change(
        desk.registration(), "client_secret_expires_at", to: Int(Date().timeIntervalSince1970) - 1)
      try desk.login()
      #expect(
        desk.deployment.registrationRequests == 2 && desk.deployment.authorizationRequests == 2)
      try desk.token("--min-ttl", "31536000")
    }
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A secret that the server renews is kept`(era: DeploymentSimulator.Era) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      try desk.login()
      let token = "renewed-\(desk.canary.word)"
      desk.deployment.inject(
        .mergePatch(#"{"registration_access_token":"\#(token)"}"#), at: "GET /oauth2/clients/*")
      try desk.login(browser: ["--deny"], status: 77)
      #expect(try desk.registration()["registration_access_token"] == token)
    }
  }
}
