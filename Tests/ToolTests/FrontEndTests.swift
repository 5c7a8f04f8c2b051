import Credentials
import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Each way in which tools ask, with what it answers where there is nothing, where it fails, and where
/// nobody else should be asked.
@Suite(.blocking) struct `A front end` {
  /// How a call ends.
  enum Answer: Sendable {
    /// With status 0 and this, and not a word on standard error.
    case output(String)
    /// With this status, an error on standard error, and this on standard output.
    case failure(Int32, output: String = "")
    /// With status 1 and one line on standard output, as docker's client reads it.
    case outputFailure(String? = nil)
    /// With status 0 and an error of this kind in cargo's answer.
    case cargoFailure(String)
  }

  /// A call that asks for `HOST` over https.
  struct Call: Sendable, CustomTestStringConvertible {
    var program = "coder-cred"
    let words: [String]
    var input = ""
    /// Whether git calls.
    var isGits = false
    let none: Answer
    let locked: Answer
    let ended: Answer
    var testDescription: String { ([program] + words).joined(separator: " ") }
  }

  private static let gitRequest = "protocol=https\nhost=HOST\n"
  private static let gitSecret = gitRequest + "username=bob\npassword=x\n"

  static let all =
    [
      Call(
        words: ["get"], input: gitRequest, isGits: true, none: .output(""), locked: .failure(69),
        ended: .failure(1, output: "quit=1\n")),
      Call(
        words: ["store"], input: gitSecret, isGits: true, none: .output(""), locked: .failure(69),
        ended: .output("")),
      Call(
        words: ["erase"], input: gitSecret, isGits: true, none: .output(""), locked: .failure(69),
        ended: .output("")),
      Call(
        words: ["a-verb-of-later"], input: gitRequest, isGits: true, none: .output(""),
        locked: .output(""), ended: .output("")),
      Call(
        words: ["token", "https://HOST"], none: .failure(1), locked: .failure(69),
        ended: .failure(1)),
      Call(
        program: "bazel-credential-coder-cred", words: ["get"],
        input: #"{"uri":"https://HOST/x"}"#, none: .failure(1), locked: .failure(1),
        ended: .failure(1)),
      Call(
        program: "terraform-credentials-coder-cred", words: ["get", "HOST"], none: .output("{}\n"),
        locked: .failure(1), ended: .failure(1)),
      Call(
        program: "cargo-credential-coder-cred", words: ["--cargo-plugin"],
        input:
          #"{"v":1,"registry":{"index-url":"sparse+https://HOST/"},"kind":"get","operation":"read"}"#,
        none: .cargoFailure("url-not-supported"), locked: .cargoFailure("other"),
        ended: .cargoFailure("other")),
      Call(
        program: "docker-credential-coder-cred", words: ["get"], input: "HOST",
        none: .outputFailure("credentials not found in native keychain\n"),
        locked: .outputFailure(), ended: .outputFailure()),
    ]
    + Credential.HeaderNotation.all.map { notation in
      Call(
        words: ["header", "https://HOST", "--format", notation.name],
        none: notation.absent.map { .output($0) } ?? .failure(1), locked: .failure(69),
        ended: .failure(1))
    }

  @Test(arguments: all)
  func `says so where nothing is stored for the server`(call: Call) throws {
    try Desk.with { desk in
      try keep(desk, until: 4_000_000_000)
      try expect(call.none, of: run(call, "other.example", desk))
    }
  }

  @Test(arguments: all)
  func `fails where the keyring is locked`(call: Call) throws {
    try Desk.with { desk in
      try keep(desk, until: 4_000_000_000)
      try desk.desktop.lock()
      try expect(call.locked, of: run(call, "dev.example.com", desk))
    }
  }

  @Test(arguments: all)
  func `fails where only a new sign-in helps, and lets git ask nobody else`(call: Call) throws {
    try Desk.with { desk in
      try keep(desk, until: 1_700_000_000)
      try expect(call.ended, of: run(call, "dev.example.com", desk))
    }
  }

  /// Those that ask for a credential, of a server on this machine too.
  private static let asking = all.filter { call in
    call.words != ["store"] && call.words != ["erase"] && call.words != ["a-verb-of-later"]
      && !call.program.hasPrefix("terraform")
  }

  @Test(arguments: asking)
  func `fails where the deployment refuses to refresh, and does not ask it again`(call: Call) throws
  {
    try Desk.withSession { desk in
      try desk.age()
      desk.deployment.revokeGrant()
      for _ in 1...2 {
        try expect(call.ended, of: run(call, desk))
        #expect(desk.deployment.refreshes.count == 1)
      }
    }
  }

  /// A session that was signed in to with a token, without its deployment.
  private func keep(_ desk: Desk, until expiry: Int) throws {
    let payload = """
      {"v":1,"url":"https://dev.example.com","account":"alice","method":"token",\
      "token_type":"Bearer","access_token":"\(desk.plant())","expires_at":\(expiry)}
      """
    try desk.desktop.storeAsOtherApplication(
      payload, label: "alice @ dev.example.com (Coder)",
      [
        "application": "coder-cred", "kind": "session", "account": "alice",
        "deployment": "https://dev.example.com",
      ])
  }

  private func run(_ call: Call, _ host: String, _ desk: Desk) throws -> CommandResult {
    try run(call, desk) { $0.replacing("HOST", with: host) }
  }

  /// Asks for the desk's deployment, which speaks http.
  private func run(_ call: Call, _ desk: Desk) throws -> CommandResult {
    let host = "127.0.0.1:\(desk.deployment.port)"
    return try run(call, desk) { text in
      text == "HOST"
        ? desk.url
        : text.replacing("https", with: "http").replacing("HOST", with: host)
    }
  }

  private func run(
    _ call: Call, _ desk: Desk, _ filled: (String) -> String
  ) throws -> CommandResult {
    let folder = "\(desk.directory)/bin"
    if access(folder, F_OK) != 0 { _ = try desk.installNames() }
    return try desk.run(
      "\(folder)/\(call.program)", call.words.map(filled), input: filled(call.input),
      environment: call.isGits ? ["GIT_EXEC_PATH": "/usr/lib/git-core"] : [:])
  }

  private func expect(_ answer: Answer, of result: CommandResult) throws {
    switch answer {
    case .output(let text):
      #expect(result.status == 0 && result.stdout == text && result.errors.isEmpty, "\(result)")
    case .failure(let status, let output):
      #expect(result.status == status && result.stdout == output, "\(result)")
      #expect(result.message("error") != nil, "\(result)")
    case .outputFailure(let text):
      #expect(result.status == 1 && result.lines.count == 1 && result.errors.isEmpty, "\(result)")
      if let text { #expect(result.stdout == text) }
    case .cargoFailure(let kind):
      #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
      let answer = try #require(
        try JSONSerialization.jsonObject(with: Data((result.lines.last ?? "").utf8))
          as? [String: Any])
      #expect((answer["Err"] as? [String: Any])?["kind"] as? String == kind)
    }
  }
}
