import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A session from its first day to its last, with the program as it was built.
@Suite(.blocking) struct `A session` {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `It is signed in, printed from the keyring, refreshed, and ended by the server alone`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era), traces: true) { desk in
      try login(desk)
      let first = try printsFromTheKeyring(desk)
      let second = try refreshesAtExpiry(desk, first)
      let third = try refreshesWhatIsErased(desk, second)
      try leavesWhatIsOutdated(desk, [first, second], current: third)
      try ends(desk)
      try beginsAgain(desk)
    }
  }

  private func login(_ desk: Desk) throws {
    let said = try desk.login().messages
    #expect(said.first == "Signing in to \(desk.url) …")
    #expect(said.contains { $0.hasPrefix("  \(desk.url)/oauth2/authorize?") })
    #expect(said.contains("Signed in to \(desk.url) as alice."))
    let found = try desk.run(
      "secret-tool", ["search", "--all", "application", "coder-cred"])
    // secret-tool 0.20.5 shows attributes on standard error, and everything else on output.
    let lines = Set((found.stdout + found.stderr).split(separator: "\n").map(String.init))
    let host = desk.url.dropFirst("http://".count)
    #expect(
      lines.isSuperset(of: [
        "label = alice @ \(host) (Coder)", "label = \(host) (Coder OAuth client)",
        "schema = io.github.coder_cred",
      ]))
    let items = try desk.desktop.items()
    let shared = ["application": "coder-cred", "deployment": desk.url]
    let schema = ["xdg:schema": "io.github.coder_cred"]
    #expect(
      items.map(\.attributes) == [
        ["kind": "session", "account": "alice"].merging(shared) { $1 }.merging(schema) { $1 },
        ["kind": "client"].merging(shared) { $1 }.merging(schema) { $1 },
      ])
    for item in items {
      #expect(item.payload["v"] as? Int == 1)
      #expect(item.payload["url"] as? String == desk.url)
      #expect(!item.secret.contains("\\") && !item.secret.contains("\n"))
    }
  }

  private func printsFromTheKeyring(_ desk: Desk) throws -> String {
    desk.deployment.clearLog()
    let token = try desk.token()
    #expect(desk.deployment.isValid(accessToken: token))
    let asked = try desk.run(
      ["get"], input: desk.request("capability[]=authtype"))
    #expect(asked["credential"] == token)
    #expect(desk.deployment.requests.isEmpty)
    return token
  }

  private func refreshesAtExpiry(_ desk: Desk, _ first: String) throws -> String {
    // A refreshed token that dies within a second, and one that then takes its place.
    desk.deployment.inject(.mergePatch(#"{"expires_in":1,"expiry":null}"#), at: .refresh)
    let dying = try desk.token("--min-ttl", "31536000")
    #expect(dying != first)
    let expiry = try #require(desk.desktop.item().payload["expires_at"] as? Int)
    waitFor("the expiry") { Int(Date().timeIntervalSince1970) > expiry }
    desk.deployment.clearLog()
    let token = try desk.token("--min-ttl", "0")
    #expect(![first, dying].contains(token))
    #expect(desk.deployment.isValid(accessToken: token))
    #expect(desk.deployment.requests.map(\.grantType) == ["refresh_token"])
    #expect(try desk.token() == token)
    #expect(desk.deployment.requests.count == 1)
    return token
  }

  private func refreshesWhatIsErased(_ desk: Desk, _ current: String) throws -> String {
    desk.deployment.clearLog()
    let erased = try desk.run(
      ["erase"], input: desk.request("username=alice", "password=\(current)"))
    #expect(erased.status == 0 && erased.output.isEmpty && erased.messages.isEmpty)
    // git erases tokens it never tried: nothing is revoked, and the refresh token is kept.
    #expect(desk.deployment.requests.isEmpty)
    #expect(desk.deployment.isValid(accessToken: current))
    let token = try desk.token()
    #expect(token != current)
    #expect(desk.deployment.requests.map(\.grantType) == ["refresh_token"])
    return token
  }

  private func leavesWhatIsOutdated(
    _ desk: Desk, _ outdated: [String], current: String
  ) throws {
    try desk.desktop.expectUnchangedItems("an outdated token") {
      for token in outdated {
        for more in ["password=\(token)", "authtype=Bearer\ncredential=\(token)"] {
          let erased = try desk.run(["erase"], input: desk.request("username=alice", more))
          #expect(erased.status == 0 && erased.messages.isEmpty)
        }
      }
    }
    desk.deployment.clearLog()
    #expect(try desk.token() == current)
    #expect(desk.deployment.requests.isEmpty)
  }

  private func ends(_ desk: Desk) throws {
    desk.deployment.revokeGrant()
    desk.deployment.clearLog()
    let command = "coder-cred login \(desk.url) --account alice"
    try desk.expire()
    for _ in 0..<3 {
      let refused = try desk.run(["get", desk.url])
      expectFailure(refused, 1)
      #expect(refused.messages.last == "coder-cred: hint: \(command)")
    }
    // The server has spoken once: nobody asks again.
    #expect(desk.deployment.requests.map(\.grantType) == ["refresh_token"])
    let gitsWay = try desk.run(["get"], input: desk.request("username=alice"))
    expectFailure(gitsWay, 1, saying: command)
    #expect(desk.deployment.requests.count == 1)
  }

  private func beginsAgain(_ desk: Desk) throws {
    try desk.login()
    #expect(desk.deployment.isValid(accessToken: try desk.token()))
    #expect(try desk.desktop.items().count == 2)
    #expect(desk.deployment.registeredClients.count == 1)
  }
}
