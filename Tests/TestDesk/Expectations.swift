package import Testing

/// Expects a documented failure: its status, one or two lines, and no output.
package func expectFailure(
  _ result: CommandResult, _ status: Int32, saying words: String? = nil, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  expectFailure(result, status, what, lines: result.messages, sourceLocation)
  if let words {
    #expect(result.stderr.contains(words), "\(what)", sourceLocation: sourceLocation)
  }
}

/// Expects a documented failure of a command that may have told of its progress before, as a login does.
package func expectLoginFailure(
  _ result: CommandResult, _ status: Int32, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let lines = result.messages.drop { !$0.hasPrefix("coder-cred: ") }
  expectFailure(result, status, what, lines: Array(lines), sourceLocation)
}

private func expectFailure(
  _ result: CommandResult, _ status: Int32, _ what: String, lines: [String],
  _ sourceLocation: SourceLocation
) {
  #expect(result.status == status, "\(what): \(result.stderr)", sourceLocation: sourceLocation)
  #expect(result.output.isEmpty, "\(what)", sourceLocation: sourceLocation)
  #expect((1...2).contains(lines.count), "\(what): \(lines)", sourceLocation: sourceLocation)
  #expect(
    lines.first?.hasPrefix("coder-cred: error: ") == true, "\(what): \(lines)",
    sourceLocation: sourceLocation)
  #expect(
    lines.dropFirst().allSatisfy { $0.hasPrefix("coder-cred: hint: ") }, "\(what): \(lines)",
    sourceLocation: sourceLocation)
}

/// Expects a success without any output.
package func expectSilence(
  _ result: CommandResult, _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(result.status == 0, "\(what): \(result.stderr)", sourceLocation: sourceLocation)
  #expect(result.output.isEmpty, "\(what)", sourceLocation: sourceLocation)
  #expect(result.messages.isEmpty, "\(what)", sourceLocation: sourceLocation)
}
