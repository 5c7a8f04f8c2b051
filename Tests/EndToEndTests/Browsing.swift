import Foundation
import TestDesk
import Testing

extension Desk {
  /// A browser for `BROWSER`: a script of one line, since the variable holds no quoted words.
  func browser(_ flags: String...) throws -> [String: String] {
    let name = "browser" + flags.joined()
    let path = "\(session.directory)/\(name)"
    if !FileManager.default.isExecutableFile(atPath: path) {
      let simulator = try Products.executable("deployment-simulator")
      let words = flags.joined(separator: " ")
      let script = "#!/bin/sh\nexec '\(simulator)' browse \(words) \"$1\"\n"
      try Data(script.utf8).write(to: URL(fileURLWithPath: path))
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }
    return ["BROWSER": path]
  }

  /// Signs in, and expects it to work.
  @discardableResult
  func signIn(
    _ user: String = "alice", sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CommandResult {
    let result = try run(
      ["login", url], environment: try browser("--user", user), sourceLocation: sourceLocation)
    #expect(result.status == 0, "\(result.stderr)", sourceLocation: sourceLocation)
    #expect(result.output.isEmpty, sourceLocation: sourceLocation)
    return result
  }

  /// Asks for a token, and expects one.
  func token(
    _ flags: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let result = try run(
      ["token", url] + flags, mayAnswer: true, sourceLocation: sourceLocation)
    #expect(result.status == 0, "\(result.stderr)", sourceLocation: sourceLocation)
    #expect(result.answer.count == 1, sourceLocation: sourceLocation)
    return result.answer.first ?? ""
  }

  /// Lets the next refresh be tried at once, as it would be after a while.
  func forgetTrouble() {
    try? FileManager.default.removeItem(atPath: "\(session.directory)/run/coder-cred")
  }

  /// Writes the configuration file.
  func configure(_ text: String) throws {
    let directory = "\(session.directory)/config/coder-cred"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try Data("[coder-cred]\n\(text)\n".utf8).write(to: URL(fileURLWithPath: "\(directory)/config"))
  }

  /// git's attributes for the deployment, and more.
  func request(_ more: String...) -> String {
    (["url=\(url)"] + more).map { $0 + "\n" }.joined() + "\n"
  }
}

/// Waits for something to come true.
func wait(
  seconds: Double = 10, for what: String, sourceLocation: SourceLocation = #_sourceLocation,
  until condition: () throws -> Bool
) rethrows {
  let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
  while try !condition() {
    guard ContinuousClock.now < deadline else {
      Issue.record("waited in vain for \(what)", sourceLocation: sourceLocation)
      return
    }
    usleep(10_000)
  }
}

/// Expects a documented failure: its status, one or two lines, and no answer.
func expectFailure(
  _ result: CommandResult, _ status: Int32, saying words: String? = nil, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(
    result.status == status, "\(what): \(result.stderr)", sourceLocation: sourceLocation)
  #expect(result.output.isEmpty, "\(what)", sourceLocation: sourceLocation)
  let lines = result.complaints
  #expect((1...2).contains(lines.count), "\(what): \(lines)", sourceLocation: sourceLocation)
  #expect(
    lines.first?.hasPrefix("coder-cred: error: ") == true, "\(what): \(lines)",
    sourceLocation: sourceLocation)
  #expect(
    lines.dropFirst().allSatisfy { $0.hasPrefix("coder-cred: hint: ") }, "\(what): \(lines)",
    sourceLocation: sourceLocation)
  if let words {
    #expect(result.stderr.contains(words), "\(what)", sourceLocation: sourceLocation)
  }
}

/// Expects a success that has nothing to say.
func expectSilence(
  _ result: CommandResult, _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(result.status == 0, "\(what): \(result.stderr)", sourceLocation: sourceLocation)
  #expect(result.output.isEmpty, "\(what)", sourceLocation: sourceLocation)
  #expect(result.complaints.isEmpty, "\(what)", sourceLocation: sourceLocation)
}
