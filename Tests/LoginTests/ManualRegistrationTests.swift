import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Clients that an administrator made, where programs may not register themselves.
@Suite(.blocking) struct `A client made by hand` {
  @Test(arguments: [DeploymentSimulator.Era.b, .c], [true, false])
  func `Where registration is off, it is said what the owner must do`(
    era: DeploymentSimulator.Era, isAnnounced: Bool
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      desk.deployment.setRegistration(enabled: false)
      if isAnnounced {
        // A cached document may still name the endpoint, which then refuses.
        desk.deployment.inject(
          .mergePatch(#"{"registration_endpoint":"\#(desk.url)/oauth2/register"}"#), at: .metadata)
      }
      let off = try desk.login(status: 76)
      #expect(
        off.message("error")?.hasPrefix("\(desk.url) does not let programs register themselves")
          == true)
      #expect(off.message("hint")?.contains("coder oauth2-provider dcr enable") == true)
      #expect(off.message("hint")?.contains("--client-id") == true)
      #expect(desk.deployment.authorizationRequests == 0)
    }
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `Its secret comes from standard input, is kept, and need not be given again`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      let port = try LoopbackListener.freePort()
      let app = desk.deployment.addApplication(
        name: "by hand", redirectURIs: ["http://127.0.0.1:\(port)/callback"])
      desk.deployment.setRegistration(enabled: false)
      try desk.login("--client-id", app.id, "--port", "\(port)", input: app.secret + "\n")
      try desk.token("--min-ttl", "31536000")
      // Known, it is this machine's client, with its port.
      try desk.login()
      try desk.login("--client-id", app.id)
      try desk.token("--min-ttl", "31536000")
      #expect(desk.deployment.registrationRequests == 0)
      for request in desk.deployment.requests.tokenRequests() {
        let basic = Data("\(app.id):\(app.secret)".utf8).base64EncodedString()
        #expect(request.headers["authorization"] == "Basic \(basic)")
        #expect(request.form["client_secret"] == nil)
      }
    }
  }

  @Test func `It may have no secret`() throws {
    try Desk.with { desk in
      let body = """
        {"client_name":"public","redirect_uris":["http://127.0.0.1/callback"],
        "token_endpoint_auth_method":"none"}
        """
      let made = try Exchange.send("POST", "\(desk.url)/oauth2/register", body: Array(body.utf8))
      let id = try #require(made["client_id"])
      try desk.login("--client-id", id)
      try desk.token("--min-ttl", "31536000")
      #expect(desk.deployment.registrationRequests == 1)
      let sent = desk.deployment.requests.tokenRequests()
      #expect(sent.count == 2 && sent.allSatisfy { $0.form["client_secret"] == nil })
      #expect(sent.allSatisfy { $0.headers["authorization"] == nil })
    }
  }

  @Test func `A wrong secret is refused, and not kept`() throws {
    try Desk.with { desk in
      let app = desk.deployment.addApplication(
        name: "by hand", redirectURIs: ["http://127.0.0.1/callback"])
      let wrong = "wrong-\(desk.canary.word)"
      let refused = try desk.login("--client-id", app.id, input: wrong, status: 77)
      #expect(refused.message("error")?.contains("The client credentials are invalid") == true)
      #expect(try desk.registrations().isEmpty && desk.sessions().isEmpty)
      try desk.login("--client-id", app.id, input: "a secret with blanks\n", status: 65)
      try desk.login("--client-id", app.id, input: app.secret)
    }
  }

  @Test func `Named in the configuration, its secret is asked for once, and again when refused`()
    throws
  {
    try Desk.with { desk in
      let app = desk.deployment.addApplication(
        name: "by hand", redirectURIs: ["http://127.0.0.1/callback"])
      try desk.configure("client-id=\(app.id)")
      try desk.login(input: app.secret + "\n")
      try desk.login()
      func renewed() throws -> String {
        desk.deployment.deleteClientSecrets(app.id)
        let owner = desk.deployment.session(user: "alice")
        let made = try Exchange.send(
          "POST", "\(desk.url)/api/v2/oauth2-provider/apps/\(app.id)/secrets",
          headers: ["Coder-Session-Token": owner], body: [])
        return try #require(made["client_secret_full"])
      }
      var secret = try renewed()
      let refused = try desk.login(input: secret + "\n", status: 77)
      #expect(refused.message("hint")?.contains("--client-id") == true)
      // Nothing piped in was taken for a code.
      #expect(desk.deployment.requests.tokenRequests().allSatisfy { $0.form["code"] != secret })
      try desk.login("--client-id", app.id, input: secret + "\n")
      secret = try renewed()
      try desk.withTerminal(["login", desk.url, "--method", "oauth"], environment: desk.browser()) {
        terminal in
        try terminal.expect("no longer accepts this machine's client")
        try terminal.expect("Client secret (empty if it has none): ")
        terminal.type(secret)
        #expect(terminal.end() == .status(0))
      }
      try desk.token("--min-ttl", "31536000")
      #expect(desk.deployment.registrationRequests == 0)
    }
  }

  @Test func `It takes the place of a registration, and whoever used that is told`() throws {
    try Desk.with { desk in
      try desk.login(browser: ["--user", "bob"])
      let app = desk.deployment.addApplication(
        name: "by hand", redirectURIs: ["http://127.0.0.1/callback"])
      let said = try desk.login("--client-id", app.id, input: app.secret).stderr
      #expect(said.contains("bob used the former client, and will have to sign in again."))
      try desk.token("--account", "bob")
    }
  }
}
