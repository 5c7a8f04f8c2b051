import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// `--verify`, for tools that run the same command again after a 401.
@Suite(.blocking) struct `A token that is to be verified` {
  private static let commands = [
    ["token", "--verify"], ["header", "--verify", "--format", "lines"], ["get", "--verify"],
    ["exec", "--verify", "--", "printenv", "CODER_SESSION_TOKEN"],
  ]

  private func checks(_ desk: Desk) -> Int {
    desk.deployment.requests.count(method: "GET", path: "/api/v2/users/me")
  }

  /// Runs a command that is to find a token refused; nil when it gave the token, as it does when the
  /// deployment has not answered after three seconds.
  private func verify(
    _ desk: Desk, _ command: [String], input: String = "", refusing token: String
  ) throws -> CommandResult? {
    let start = ContinuousClock.now
    let result = try desk.run(command, input: input)
    let isLate = start.duration(to: .now) >= .seconds(3)
    return isLate && result.status == 0 && result.stdout.contains(token) ? nil : result
  }

  @Test(arguments: commands)
  func `is asked about once, and given as it is when it works`(command: [String]) throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      let input = command[0] == "get" ? desk.request() : ""
      let result = try desk.run(command, input: input)
      #expect(result.status == 0 && result.stdout.contains(token), "\(result.stderr)")
      #expect(result.errors.isEmpty)
      #expect(checks(desk) == 1 && desk.deployment.requests.count == 1)
    }
  }

  @Test(arguments: commands)
  func `is replaced when the deployment refuses it`(command: [String]) throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      desk.deployment.revokeAccessTokens()
      // Without the flag nobody knows.
      #expect(try desk.run(["token"]).stdout == token + "\n")
      let input = command[0] == "get" ? desk.request() : ""
      let found = try verify(desk, command, input: input, refusing: token)
      guard let result = found else { return }
      #expect(result.status == 0 && !result.stdout.contains(token), "\(result.stderr)")
      #expect(checks(desk) == 1 && desk.deployment.refreshes.count == 1)
      desk.deployment.clearLog()
      let renewed = try desk.token()
      #expect(result.stdout.contains(renewed) && desk.deployment.requests.isEmpty)
    }
  }

  @Test func `that cannot be refreshed is refused once, and then known to be dead`() throws {
    try Desk.with { desk in
      let token = desk.deployment.session(user: "alice")
      try desk.login("--method", "token", input: token + "\n")
      desk.deployment.suspend("alice")
      desk.deployment.clearLog()
      #expect(try desk.run(["token"]).status == 0)
      let found = try verify(desk, ["token", "--verify"], refusing: token)
      guard let refused = found else { return }
      expectFailure(refused, 1, saying: "coder-cred login \(desk.url)")
      #expect(checks(desk) == 1)
      for command in [["token"], ["token", "--verify"], ["header"]] {
        expectFailure(try desk.run(command), 1)
      }
      #expect(checks(desk) == 1)
      // It is remembered until the token changes.
      desk.deployment.reactivate("alice")
      let another = desk.deployment.session(user: "alice")
      try desk.login("--method", "token", input: another + "\n")
      #expect(try desk.run(["token", "--verify"]).stdout == another + "\n")
    }
  }

  @Test func `is given when the deployment does not say`() throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      let faults: [DeploymentSimulator.Fault] = [
        .status(503), .htmlPage, .drop,
        .response(
          .init(401, fields: [("Content-Type", "text/html")], body: Array("a portal's".utf8))),
      ]
      for fault in faults {
        desk.deployment.inject(fault, at: .account)
        let result = try desk.run(["token", "--verify"])
        #expect(result.stdout == token + "\n" && result.errors.isEmpty, "\(fault.name)")
      }
      #expect(desk.deployment.refreshes.isEmpty)
    }
  }

  @Test func `is asked about six times a minute at most, and anew once it has changed`() throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      for _ in 1...9 { #expect(try desk.run(["token", "--verify"]).stdout == token + "\n") }
      #expect(checks(desk) == 6)
      desk.deployment.clearLog()
      try desk.eraseToken()
      let renewed = try desk.token()
      #expect(renewed != token)
      for _ in 1...9 { #expect(try desk.run(["token", "--verify"]).stdout == renewed + "\n") }
      #expect(checks(desk) == 6)
      // The minute is over, or the machine was started anew.
      for file in try desk.runtimeFiles(".checks") {
        try FileManager.default.removeItem(atPath: file)
      }
      desk.deployment.revokeAccessTokens()
      #expect(try desk.run(["token", "--verify"]).stdout != renewed + "\n")
    }
  }

  @Test func `is asked about again at once by a tool whose request was refused`() throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      #expect(try desk.run(["token", "--verify"]).stdout == token + "\n")
      desk.deployment.revokeAccessTokens()
      let found = try verify(desk, ["token", "--verify"], refusing: token)
      guard let renewed = found else { return }
      #expect(renewed.status == 0 && renewed.stdout != token + "\n")
    }
  }

  @Test func `is never refreshed twice for one refusal`() throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      desk.deployment.revokeAccessTokens()
      let outputs = try concurrently(4) {
        try verify(desk, ["token", "--verify"], refusing: token)
      }.compactMap(\.self)
      #expect(outputs.allSatisfy { $0.status == 0 && $0.stdout != token + "\n" })
      #expect(desk.deployment.refreshes.count == 1 || outputs.isEmpty)
    }
  }

  @Test func `with --no-refresh is refused and remembered`() throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      desk.deployment.revokeAccessTokens()
      let found = try verify(desk, ["token", "--verify", "--no-refresh"], refusing: token)
      guard let refused = found else { return }
      #expect(refused.status == 1)
      #expect(desk.deployment.refreshes.isEmpty)
      try desk.token()
      #expect(desk.deployment.refreshes.count == 1)
    }
  }
}
