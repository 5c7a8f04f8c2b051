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
    guard write(text.revealed, to: STDOUT_FILENO) else {
      throw Failure(.reportIt, "the answer could not be written to standard output")
    }
  }

  /// Writes a text without secrets to standard output.
  static func show(_ text: String) {
    _ = write(text, to: STDOUT_FILENO)
  }

  /// Says one line on standard error.
  static func say(_ line: String) {
    _ = write(clean(line) + "\n", to: STDERR_FILENO)
  }

  /// Says something and stays on the line.
  static func prompt(_ question: String) {
    _ = write(clean(question), to: STDERR_FILENO)
  }

  /// Says what failed and what helps, in at most two lines.
  static func report(_ failure: Failure) {
    if failure.isSilent { return }
    say("coder-cred: error: \(failure.message)")
    if let hint = failure.hint { say("coder-cred: hint: \(hint)") }
  }

  /// Replaces what a terminal would obey, or what would show text in another order than written.
  static func clean(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          switch scalar.properties.generalCategory {
          case .control, .format, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
          default: scalar
          }
        }))
  }

  /// Reads a git-credential request: to its empty line, to the end, or just past the limit.
  static func readRequest() throws(Failure) -> [UInt8] {
    var request: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while request.count <= CredentialRequest.maximumBytes {
      let count = read(STDIN_FILENO, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Failure(.fixTheInput, "standard input cannot be read") }
      if count == 0 { break }
      // The empty line may begin in the chunk before.
      let start = max(0, request.count - 2)
      request += chunk[..<count]
      if endsRequest(request, from: start) { break }
    }
    return request
  }

  private static func endsRequest(_ request: [UInt8], from start: Int) -> Bool {
    if request.first == UInt8(ascii: "\n") || request.starts(with: "\r\n".utf8) { return true }
    var lineIsEmpty = false
    for byte in request[start...] {
      if byte == UInt8(ascii: "\n") {
        if lineIsEmpty { return true }
        lineIsEmpty = true
      } else if byte != UInt8(ascii: "\r") {
        lineIsEmpty = false
      }
    }
    return false
  }

  private static func write(_ text: String, to descriptor: Int32) -> Bool {
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      written += count
    }
    return true
  }
}
