import Credentials
import Foundation
import SecretService
import Secrets
import TestDesk
import Testing

/// A session with sessions in it, and both programs to ask.
struct Stage {
  let session: PrivateSession
  let door: String
  let engine: String

  init(_ kind: PrivateSession.Kind = .unlocked) throws {
    session = try PrivateSession(kind)
    door = try Products.executable("coder-cred")
    engine = try Products.executable("coder-cred-engine")
  }

  /// What is asked of a program.
  struct Request: Sendable, CustomStringConvertible {
    var arguments: [String] = []
    var input = ""
    var environment: [String: String] = [:]
    /// Run by a shell, which knows the program as `$0`, instead.
    var script: String?

    var description: String {
      let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      return (variables + [script ?? arguments.joined(separator: " ")]).joined(separator: " ")
        + (input.isEmpty ? "" : " < \(input.prefix(120).debugDescription)")
    }
  }

  func ask(_ program: String, _ request: Request) throws -> CommandResult {
    if let script = request.script {
      return try session.run(
        "/bin/sh", ["-c", script, program], input: Array(request.input.utf8),
        environment: request.environment)
    }
    return try session.run(
      program, request.arguments, input: Array(request.input.utf8),
      environment: request.environment)
  }

  /// Holds the door to the engine's answer, to the last byte.
  func expectAlike(_ requests: [Request]) throws {
    for request in requests {
      let ours = try ask(door, request)
      let theirs = try ask(engine, request)
      #expect(ours.output == theirs.output, "\(request): \(ours.stdout) / \(theirs.stdout)")
      #expect(ours.errors == theirs.errors, "\(request): \(ours.stderr) / \(theirs.stderr)")
      #expect(ours.status == theirs.status, "\(request): \(ours.stderr) / \(theirs.stderr)")
      #expect(!ours.timedOut && !theirs.timedOut, "\(request)")
    }
  }

  /// Keeps a session as sign-in does.
  func keep(_ url: String, account: String = "alice", _ change: (inout StoredSession) -> Void)
    throws
  {
    var stored = StoredSession(
      deployment: try Deployment(url: url), account: account, method: .oauth,
      accessToken: Secret(Stage.token))
    stored.expiresAt = Int64(time(nil)) + 86_400
    stored.issuedAt = Stage.issuedAt
    stored.refreshToken = "coder_refresh"
    change(&stored)
    try keep(stored.payload(), at: stored.deployment.url, account: account)
  }

  /// Keeps any text where a session should be.
  func keep(_ payload: Secret, at url: String, account: String? = "alice") throws {
    var attributes: Attributes = [
      "application": "coder-cred", "kind": "session", "deployment": url,
    ]
    attributes["account"] = account
    let result = try session.run(
      "secret-tool",
      ["store", "--label=Coder session: \(url)", "xdg:schema", SecretService.schema]
        + attributes.values.flatMap { [$0.key, $0.value] },
      input: Array(payload.revealed.utf8))
    #expect(result.status == 0, "\(result.stderr)")
  }

  /// Writes the configuration file.
  func configure(_ text: String) throws {
    let directory = "\(session.directory)/config/coder-cred"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/config"))
  }

  static let issuedAt: Int64 = 1_700_000_000
  static let token = "abcdefghij-0123456789_ABCDEFGHIJ"
}

extension Stage {
  /// A copy of the door in a place of its own, with another engine beside it, or with none.
  func copyDoor(engine: String?, to directory: String = "bin") throws -> String {
    let place = "\(session.directory)/\(directory)"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    let copy = "\(place)/coder-cred"
    try FileManager.default.copyItem(atPath: door, toPath: copy)
    if let engine { try script(engine, at: "\(place)/coder-cred-engine") }
    return copy
  }

  /// Writes an executable shell script.
  func script(_ text: String, at path: String) throws {
    try Data("#!/bin/sh\n\(text)\n".utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
  }
}

extension Stage.Request {
  static func words(
    _ arguments: String..., input: String = "", with environment: [String: String] = [:]
  ) -> Self {
    Self(arguments: arguments, input: input, environment: environment)
  }

  static func shell(_ script: String, input: String = "") -> Self {
    Self(input: input, script: script)
  }
}
