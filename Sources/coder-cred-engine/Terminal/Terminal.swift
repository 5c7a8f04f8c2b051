import Credentials
import Glibc
import Secrets

/// Standard input, output and error.
///
/// Standard output carries the answer or nothing, written whole; everything said to people goes to
/// standard error, cleaned of what could steer a terminal.
enum Terminal {
  /// Writes the answer: the one way out for secrets.
  static func answer(_ text: Secret) throws(Failure) {
    guard writeSecret(text, to: STDOUT_FILENO) else {
      throw Failure(.reportIt, "the answer could not be written to standard output")
    }
  }

  /// Writes a text without secrets to standard output.
  static func show(_ text: String) {
    _ = writeText(text, to: STDOUT_FILENO)
  }

  /// Says one line on standard error.
  static func say(_ line: String) {
    _ = writeText(clean(line) + "\n", to: STDERR_FILENO)
  }

  /// Says something and stays on the line.
  static func prompt(_ question: String) {
    _ = writeText(clean(question), to: STDERR_FILENO)
  }

  /// Draws over the line the cursor is on, and goes back to its beginning.
  static func draw(_ text: String) {
    _ = writeText("\r\u{1B}[K\(clean(text))\r", to: STDERR_FILENO)
  }

  /// Says what failed and what helps, in at most two lines.
  static func report(_ failure: Failure) {
    if failure.isSilent { return }
    say("coder-cred: error: \(failure.message)")
    if let hint = failure.hint { say("coder-cred: hint: \(hint)") }
  }

  /// Replaces what a terminal would obey, or what would show text in another order than written.
  static func clean(_ text: String) -> String { ForeignText.terminalLine(text) }

  /// Reads a git-credential request: to its empty line, to the end, or just past the limit.
  static func readRequest() throws(Failure) -> [UInt8] {
    guard let request = CredentialRequest.read(from: STDIN_FILENO) else {
      throw Failure(.fixTheInput, "standard input cannot be read")
    }
    return request
  }
}
