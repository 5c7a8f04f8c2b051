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

  /// Runs the fast path where it answers by itself: more than half a second of delay by a busy machine
  /// makes it hand over, and is no fault.
  func callAlone(_ fastPath: String, _ invocation: Invocation) throws -> CommandResult {
    var result = try call(fastPath, invocation)
    for _ in 1...5 where result.status == 99 { result = try call(fastPath, invocation) }
    return result
  }

  /// Expects the fast path, as it was built for tests and for release, and the full program to write
  /// the same bytes and to end with the same status.
  func expectSameOutput(_ invocations: [Invocation]) throws {
    let fastPaths = [program] + [try releasedFastPath()].compactMap(\.self)
    for invocation in invocations {
      let full = try call(fullProgram, invocation)
      for fastPath in fastPaths {
        let fast = try call(fastPath, invocation)
        let what: Comment = "\(invocation) by \(fastPath)"
        #expect(fast.output == full.output, what)
        #expect(fast.errors == full.errors, what)
        #expect(fast.status == full.status, what)
        #expect(!fast.timedOut && !full.timedOut, what)
      }
    }
  }

  /// The release build that `RELEASED_FAST_PATH` names, in a directory with the full program; nil
  /// when it names none.
  private func releasedFastPath() throws -> String? {
    guard let released = ProcessInfo.processInfo.environment["RELEASED_FAST_PATH"] else {
      return nil
    }
    let copy = "\(directory)/released/coder-cred"
    if access(copy, X_OK) == 0 { return copy }
    let made = try desktop.run(
      "/bin/sh",
      [
        "-c", "mkdir \"$2\" && cp \"$0\" \"$2/coder-cred\" && ln -s \"$1\" \"$2\"", released,
        fullProgram, "\(directory)/released",
      ])
    try #require(made.status == 0, "\(made.stderr)")
    return copy
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
