import Credentials
import Foundation
import Secrets
import TestDesk
import Testing

/// One call of a program.
struct Invocation: Sendable, CustomStringConvertible {
  var arguments: [String] = []
  var input = ""
  var environment: [String: String] = [:]
  /// Run by a shell, which knows the program as `$0`, instead.
  var script: String?

  static func words(
    _ arguments: String..., input: String = "", with environment: [String: String] = [:]
  ) -> Self {
    Self(arguments: arguments, input: input, environment: environment)
  }

  static func shell(_ script: String, input: String = "") -> Self {
    Self(input: input, script: script)
  }

  var description: String {
    let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return (variables + [script ?? arguments.joined(separator: " ")]).joined(separator: " ")
      + (input.isEmpty ? "" : " < \(input.prefix(120).debugDescription)")
  }
}

extension Desk {
  /// Calls a program: the fast path, a copy of it, or the full program.
  func call(_ program: String, _ invocation: Invocation) throws -> CommandResult {
    let (executable, arguments) =
      if let script = invocation.script {
        ("/bin/sh", ["-c", script, program])
      } else {
        (program, invocation.arguments)
      }
    return try desktop.run(
      executable, arguments, input: Array(invocation.input.utf8),
      environment: invocation.environment)
  }

  /// Expects fast path and full program to write the same bytes and to end with the same status.
  func expectSameOutput(_ invocations: [Invocation]) throws {
    for invocation in invocations {
      let fast = try call(program, invocation)
      let full = try call(fullProgram, invocation)
      #expect(fast.output == full.output, "\(invocation): \(fast.stdout) / \(full.stdout)")
      #expect(fast.errors == full.errors, "\(invocation): \(fast.stderr) / \(full.stderr)")
      #expect(fast.status == full.status, "\(invocation): \(fast.stderr) / \(full.stderr)")
      #expect(!fast.timedOut && !full.timedOut, "\(invocation)")
    }
  }

  /// Stores a session as a login does: fresh, unless the change makes it something else.
  func store(
    _ url: String, account: String = "alice", _ change: (inout StoredSession) -> Void = { _ in }
  ) throws {
    var stored = StoredSession(
      deployment: try Deployment(url: url), account: account, method: .oauth,
      accessToken: Secret(storedToken))
    stored.expiresAt = Int64(time(nil)) + 86_400
    stored.issuedAt = storedIssuedAt
    stored.refreshToken = "coder_refresh"
    change(&stored)
    try store(stored.payload(), at: stored.deployment.url, account: account)
  }

  /// Stores any text where a session should be.
  func store(_ payload: Secret, at url: String, account: String? = "alice") throws {
    var attributes = ["application": "coder-cred", "kind": "session", "deployment": url]
    attributes["account"] = account
    try desktop.storeAsOtherApplication(
      payload.revealed, label: "Coder session: \(url)", attributes)
  }

  /// A copy of the fast path in a directory of its own, with a script beside it in place of the full
  /// program, or with nothing.
  func copyFastPath(fullProgram script: String?, to directory: String = "bin") throws -> String {
    let directory = "\(self.directory)/\(directory)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let copied = try desktop.run("cp", [program, directory])
    try #require(copied.status == 0, "\(copied.stderr)")
    if let script { try self.script(script, at: "\(directory)/coder-cred-engine") }
    return "\(directory)/coder-cred"
  }
}

/// The access token of every stored session.
let storedToken = "abcdefghij-0123456789_ABCDEFGHIJ"
/// When it was issued, in Unix seconds.
let storedIssuedAt: Int64 = 1_700_000_000
