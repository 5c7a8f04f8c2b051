import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Which of several accounts of a deployment is meant.
@Suite(.blocking) struct `The active account` {
  /// Runs work at a desk where alice signed in first and bob last.
  private func withTwoAccounts(_ work: (Desk) throws -> Void) throws {
    try Desk.with(.unlocked, .init(era: .c, users: ["alice", "bob", "carol"])) { desk in
      try desk.login(as: "alice")
      let said = try desk.login(as: "bob").stderr
      #expect(said.contains("now mean bob, who signed in last"))
      #expect(said.contains("coder-cred use \(desk.url) --account alice"))
      try work(desk)
    }
  }

  /// Whom each way to a credential means.
  private func accounts(_ desk: Desk) throws -> Set<String> {
    let lines = ["protocol=http", "host=127.0.0.1:\(desk.deployment.port)", ""]
    let git = try desk.run(["get"], input: lines.map { $0 + "\n" }.joined())
    let me = try desk.run(["api", "/api/v2/users/me", "--url", desk.url])
    let account = try #require(try me.json() as? [String: Any])["username"] as? String
    let script = "exec \"$0\" api /api/v2/users/me --url \"$CODER_URL\""
    let child = try desk.run(["exec", "--", "/bin/sh", "-c", script, desk.program])
    let inner = try #require(try child.json() as? [String: Any])["username"] as? String
    let token = try desk.token()
    let json = try desk.run(["get", desk.url, "--format", "json"]).json() as? [String: Any]
    let header = try desk.run(["header", desk.url])
    #expect(header.stdout == "Authorization=Bearer \(token)\n")
    #expect(json?["access_token"] as? String == token)
    return Set([git["username"], account, inner, json?["account"] as? String].compactMap(\.self))
  }

  @Test func `A second account breaks no tool, and the last one signed in is meant`() throws {
    try withTwoAccounts { desk in
      #expect(try accounts(desk) == ["bob"])
      #expect(try desk.run(["use", desk.url, "--account", "alice"]).status == 0)
      #expect(try accounts(desk) == ["alice"])
      let named = try desk.run(["get", desk.url, "--account", "bob"])
      #expect(named["username"] == "bob")
      // Whoever signs in is meant from then on.
      try desk.login(as: "bob")
      #expect(try accounts(desk) == ["bob"])
    }
  }

  @Test func `A session that has ended does not count`() throws {
    try withTwoAccounts { desk in
      try desk.desktop.change(
        try #require(try desk.sessions().last), ["expires_at": 1, "refresh_token": NSNull()])
      #expect(try accounts(desk) == ["alice"])
      expectFailure(try desk.run(["token", desk.url, "--account", "bob"]), 1, saying: "bob")
      let use = try desk.run(["use", desk.url, "--account", "bob"])
      expectFailure(use, 1, saying: "coder-cred login \(desk.url) --account bob")
      #expect(try desk.run(["use", desk.url, "--account", "bob", "--force"]).status == 0)
      #expect(try accounts(desk) == ["alice"])
    }
  }

  @Test func `One account alone writes no configuration`() throws {
    try Desk.with { desk in
      try desk.login()
      try desk.login()
      #expect(!FileManager.default.fileExists(atPath: desk.configuration))
    }
  }

  @Test func `A configuration that cannot be written fails no sign-in`() throws {
    try Desk.with(.unlocked, .init(era: .c, users: ["alice", "bob"])) { desk in
      try desk.login(as: "alice")
      try FileManager.default.createDirectory(
        atPath: desk.configuration, withIntermediateDirectories: true)
      try FileManager.default.removeItem(atPath: desk.configuration)
      try FileManager.default.createSymbolicLink(
        atPath: desk.configuration, withDestinationPath: "\(desk.directory)/nowhere/config")
      let result = try desk.login(as: "bob")
      #expect(result.message("warning") != nil, "\(result.stderr)")
    }
  }

  @Test func `Choosing an account needs one that is signed in, and changes nothing else`() throws {
    try withTwoAccounts { desk in
      let stranger = try desk.run(["use", desk.url, "--account", "carol"])
      expectFailure(stranger, 1, saying: "carol is not signed in to \(desk.url)")
      #expect(stranger.stderr.contains("coder-cred login \(desk.url) --account carol"))
      expectFailure(try desk.run(["use", "--account", ""]), 64, saying: "--account needs a name")
      // Without a URL the default deployment stays what it was.
      #expect(try desk.run(["use", "--account", "alice"]).status == 0)
      #expect(try desk.run(["use"]).stderr == "No default deployment is set.\n")
      #expect(try accounts(desk) == ["alice"])
      let shown = try desk.run(["use", desk.url, "--json"])
      #expect(
        shown.stdout == "{\"account\":\"alice\",\"default_deployment\":\"\(desk.url)\"}\n")
    }
  }

  @Test func `A default is unset, and one that is gone is said to be`() throws {
    try withTwoAccounts { desk in
      #expect(try desk.run(["use", desk.url, "--account", "alice"]).status == 0)
      #expect(try desk.run(["use", "--unset"]).stderr.contains("no longer the default deployment"))
      #expect(try desk.run(["use"]).output.isEmpty)
      #expect(try accounts(desk) == ["alice"])
      #expect(try desk.run(["use", desk.url]).status == 0)
      #expect(try desk.run(["use", desk.url, "--unset"]).status == 0)
      #expect(try desk.run(["use"]).output.isEmpty)
      // Nothing is chosen: they may have signed in within one second.
      let either = try desk.run(["get", desk.url])
      #expect(either.status == 64 || either["username"] == "bob")
      #expect(try desk.run(["use", "--force", "https://gone.example"]).status == 0)
      let gone = try desk.run(["use"])
      #expect(gone.stdout == "https://gone.example\n")
      #expect(gone.stderr.contains("coder-cred use --unset"))
      expectFailure(try desk.run(["token"]), 1, saying: "https://gone.example")
    }
  }
}
