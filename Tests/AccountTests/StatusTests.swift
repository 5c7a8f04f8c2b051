import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `status and list` {
  @Test func `It shows what is stored, and asks nobody`() throws {
    try Desk.with { desk in
      try desk.login()
      desk.deployment.clearLog()
      let result = try desk.run(["status", desk.url, "--json"])
      #expect(result.status == 0, "\(result.stderr)")
      let row = try #require(try result.rows().first)
      #expect(row["deployment"] as? String == desk.url)
      #expect(row["account"] as? String == "alice")
      #expect(row["method"] as? String == "oauth")
      #expect(row["state"] as? String == "valid")
      #expect(row["scope"] as? String == "coder:all")
      #expect(row["client_kind"] as? String == "dynamic")
      #expect(row["client_id"] as? String == desk.deployment.registeredClients.first)
      #expect(row["issuer"] as? String == desk.url)
      #expect(row["default"] as? Bool == false)
      #expect(row["check"] == nil)
      let expiry = try #require(row["expires_at"] as? String)
      let refresh = try #require(row["refresh_from"] as? String)
      let format = ISO8601DateFormatter()
      let margin = format.date(from: expiry)?.timeIntervalSince(
        try #require(format.date(from: refresh)))
      #expect(margin == 60)
      let text = try desk.run(["status"]).stdout
      #expect(text.hasPrefix("\(desk.url)\n  account:    alice\n  method:     oauth\n"))
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test func `A list has what status has, and no more than it always had`() throws {
    try Desk.with { desk in
      try desk.login()
      let row = try #require(try desk.run(["list", "--json"]).rows().first)
      #expect(Set(row.keys) == ["deployment", "account", "method", "state", "expires_at"])
    }
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A check asks with the token as it is, and says who it speaks for and to what`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      try desk.login()
      desk.deployment.clearLog()
      let result = try desk.run(["status", "--check", "--json"])
      #expect(result.status == 0, "\(result.stderr)")
      let check = try #require(try result.rows().first?["check"] as? [String: String])
      #expect(check["result"] == "works" && check["account"] == "alice")
      #expect(check["version"]?.isEmpty == false)
      #expect(
        desk.deployment.requests.map(\.path) == ["/api/v2/users/me", "/api/v2/buildinfo"])
    }
  }

  @Test func `A token that the deployment rejects is renewed by the command that is told`() throws {
    try Desk.withSession { desk in
      desk.deployment.revokeAccessTokens()
      #expect(try desk.run(["status"]).status == 0)
      let path = try ["PATH": "\(desk.installNames()):\(PrivateDesktop.path)"]
      let refresh = "coder-cred refresh \(desk.url) --account alice"
      // Asked again, it is as true.
      for _ in 1...2 {
        let result = try desk.run(["status", desk.url, "--check"])
        expectRejected(result, hint: refresh)
        #expect(result.message("error")?.contains("refuses the token of alice") == true)
        #expect(result.stdout.contains("  state:      refused, the next use tries to renew it\n"))
        #expect(result.stdout.contains("  check:      refused by the deployment, Coder v"))
        #expect(result.stdout.contains("; to see whether it renews: \(refresh)\n"))
        let rows = try desk.run(["status", desk.url, "--check", "--json"]).rows()
        #expect((rows.first?["check"] as? [String: String])?["result"] == "rejected")
      }
      #expect(desk.deployment.refreshes.isEmpty)
      let renewed = try desk.run("/bin/sh", ["-c", refresh], environment: path)
      #expect(renewed.status == 0, "\(renewed.stderr)")
      #expect(try desk.run(["status", "--check"]).stdout.contains("  to do:      nothing\n"))
    }
  }

  @Test func `A session that the deployment has ended needs a person, as the told command finds`()
    throws
  {
    try Desk.withSession { desk in
      desk.deployment.revokeGrant()
      #expect(try desk.run(["status"]).status == 0)
      let path = try ["PATH": "\(desk.installNames()):\(PrivateDesktop.path)"]
      let refresh = "coder-cred refresh \(desk.url) --account alice"
      expectRejected(try desk.run(["status", desk.url, "--check"]), hint: refresh)
      let ended = try desk.run("/bin/sh", ["-c", refresh], environment: path)
      let login = "coder-cred login \(desk.url) --account alice"
      expectFailure(ended, 1, saying: login)
      expectRejected(try desk.run(["status", desk.url, "--check"]), hint: login)
    }
  }

  @Test func `A pasted token that the deployment rejects needs a person`() throws {
    try Desk.with { desk in
      let token = desk.deployment.session(user: "alice")
      try desk.login("--method", "token", input: token + "\n")
      desk.deployment.inject(
        .status(401, body: "{}", headers: ["Content-Type": "application/json"]), at: .account)
      let result = try desk.run(["status", "--check"])
      expectRejected(result, hint: "coder-cred login \(desk.url) --account alice")
      #expect(result.stdout.contains("  state:      refused\n"))
    }
  }

  /// Expects a check to end with 1, with a command that is both the hint and what is to be done.
  private func expectRejected(
    _ result: CommandResult, hint: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      result.status == 1 && result.message("hint") == hint, "\(result.stderr)",
      sourceLocation: sourceLocation)
    #expect(
      result.stdout.contains("  to do:      \(hint)\n"), "\(result.stdout)",
      sourceLocation: sourceLocation)
  }

  @Test func `A token whose time has passed will be refreshed, and needs nobody`() throws {
    try Desk.with { desk in
      desk.deployment.change { $0.accessTokenLifetime = 1 }
      try desk.login()
      // Our clock and the deployment's agree to the second only.
      try waitFor("the expiry") {
        let result = try desk.run(["status", "--check", "--json"])
        #expect(result.status == 0, "\(result.stderr)")
        let row = try #require(try result.rows().first)
        return row["state"] as? String == "due"
          && (row["check"] as? [String: String])?["result"] == "due"
      }
      #expect(desk.deployment.requests.tokenRequests(grant: "refresh_token").isEmpty)
    }
  }

  @Test func `A deployment that is away, or a portal in its place, is told from a rejection`()
    throws
  {
    try Desk.with { desk in
      try desk.login()
      desk.deployment.inject(.htmlPage, at: .account)
      let portal = try desk.run(["status", "--check"])
      #expect(portal.status == 75)
      #expect(portal.stdout.contains("check:      unanswered"))
      desk.deployment.stop()
      #expect(try desk.run(["status", "--check"]).status == 75)
      #expect(try desk.run(["status"]).status == 0)
    }
  }

  @Test func `An ended session beside a live one fails nothing without --check`() throws {
    try Desk.with(.unlocked, .init(era: .c, users: ["alice", "bob"])) { desk in
      try desk.login(as: "alice")
      try desk.login(as: "bob")
      desk.deployment.revokeGrant(user: "bob")
      #expect(try desk.run(["token", "--account", "bob", "--min-ttl", "31536000"]).status != 64)
      let rows = try desk.run(["status", "--json"]).rows()
      #expect(rows.map { $0["account"] as? String } == ["alice", "bob"])
      #expect(try desk.run(["status"]).status == 0)
      #expect(try desk.run(["status", "--check"]).status == 1)
    }
  }

  @Test func `Nobody signed in is 1, and a malformed URL is the caller's`() throws {
    try Desk.with { desk in
      let result = try desk.run(["status", desk.url, "--json"])
      #expect(result.status == 1)
      #expect(result.stdout == "[]\n")
      #expect(try desk.run(["status", "https://u:p@h"]).status == 65)
    }
  }

  @Test func `A locked keyring shows whose sessions there are, without a prompt`() throws {
    try Desk.with { desk in
      try desk.login()
      try desk.desktop.lock()
      for arguments in [
        ["status", desk.url, "--json"], ["status", "--json"], ["list", "--json"],
      ] {
        let result = try desk.run(arguments, timeoutSeconds: 20)
        #expect(result.status == 0, "\(result.stderr)")
        let row = try #require(try result.rows().first)
        #expect(row["state"] as? String == "locked")
        #expect(row["deployment"] as? String == desk.url)
        #expect(row["account"] as? String == "alice")
      }
      #expect(try desk.run(["status", "--check"]).status == 69)
    }
  }

  @Test func `A keyring that was never unlocked still tells that a named deployment is there`()
    throws
  {
    try Desk.with { desk in
      try desk.login()
      try desk.desktop.restartKeyring(unlock: false)
      let result = try desk.run(["status", desk.url, "--json"])
      #expect(result.status == 0, "\(result.stderr)")
      let row = try #require(try result.rows().first)
      #expect(row["state"] as? String == "locked")
      #expect(row["deployment"] as? String == desk.url)
    }
  }
}
