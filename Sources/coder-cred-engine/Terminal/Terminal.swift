import FoundationEssentials
import Glibc
import Secrets

/// Standard input, output and error.
///
/// Standard output carries what was asked for or nothing, written whole; everything said to people goes to
/// standard error, cleaned of what could steer a terminal.
enum Terminal {
  /// Writes what the caller asked for: the one way out for secrets.
  static func output(_ text: Secret) throws(Failure) {
    guard writeSecret(text, to: STDOUT_FILENO) else {
      throw Failure(.reportIt, "the answer could not be written to standard output")
    }
  }

  /// Writes a text without secrets to standard output. Whoever reads it may have read enough.
  static func show(_ text: String) throws(Failure) {
    guard !writeText(text, to: STDOUT_FILENO), errno != EPIPE else { return }
    throw Failure(
      .reportIt,
      "the output could not be written to standard output: \(String(cString: strerror(errno)))")
  }

  /// Writes a value as one line of JSON, its keys sorted and what is invisible escaped.
  static func showJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let document = String(decoding: try encoder.encode(value), as: UTF8.self)
    try show(ForeignText.jsonDocument(document) + "\n")
  }

  /// Says what a person should know although the command goes on.
  static func warn(_ message: String) {
    say("coder-cred: warning: \(message)")
  }

  /// Says one line on standard error.
  static func say(_ line: String) {
    ScreenLine.above { _ = writeText(wrapped(clean(line)) + "\n", to: STDERR_FILENO) }
  }

  /// Says something and stays on the line.
  static func prompt(_ question: String) {
    ScreenLine.above { _ = writeText(wrapped(clean(question)), to: STDERR_FILENO) }
  }

  /// A line as the terminal shows it; elsewhere it stays one. What is set off by blanks is an address
  /// or a command, which is broken nowhere.
  private static func wrapped(_ line: String) -> String {
    guard let columns = size?.columns, isatty(STDERR_FILENO) != 0, !line.hasPrefix(" ") else {
      return line
    }
    return LineWrapping.wrapped(line, to: columns)
  }

  /// Takes back so many characters before the cursor.
  static func erase(_ count: Int) {
    write(String(repeating: "\u{8} \u{8}", count: count))
  }

  /// Draws over the line the cursor is on, and goes back to its beginning.
  static func draw(_ text: String) {
    _ = writeText("\r\u{1B}[K\(clean(text))\r", to: STDERR_FILENO)
  }

  /// Writes to standard error what is to steer the terminal.
  static func write(_ sequence: String) {
    ScreenLine.above { _ = writeText(sequence, to: STDERR_FILENO) }
  }

  /// Says what failed and what helps, in at most two lines.
  static func report(_ failure: Failure) {
    if failure.isSilent { return }
    say("coder-cred: error: \(failure.message)")
    if let hint = failure.hint { say("coder-cred: hint: \(hint)") }
  }

  /// Replaces what a terminal would obey, or what would show text in another order than written, and
  /// what a terminal of this locale cannot show.
  static func clean(_ text: String) -> String {
    Charset.shown(ForeignText.terminalLine(text))
  }
}
