import Credentials
import Glibc
import Secrets

/// Questions to the person at the terminal.
extension Terminal {
  /// Whether a person can be asked: our input and our words are both at a terminal.
  static var isInteractive: Bool { isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0 }

  /// One line of standard input without its end, of at most `limit` bytes.
  static func line(limit: Int) throws(Failure) -> String {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while line.count <= limit {
      let count = read(STDIN_FILENO, &byte, 1)
      if count < 0 && errno == EINTR { continue }
      if count <= 0 || byte == UInt8(ascii: "\n") { break }
      line.append(byte)
    }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    guard line.count <= limit, let text = String(validating: line, as: UTF8.self) else {
      throw Failure(.fixTheInput, "the line on standard input is too long, or not UTF-8")
    }
    return text
  }

  /// Asks a question and returns the answer in lower case; nil at the end of the input.
  static func ask(_ question: String) throws(Failure) -> String {
    prompt(question)
    return try line(limit: 256).lowercased()
  }

  /// Asks for a secret, which the terminal does not show while it is typed.
  static func readSecret(_ question: String) throws(Failure) -> Secret {
    prompt(question)
    var former = termios()
    guard tcgetattr(STDIN_FILENO, &former) == 0 else { return Secret(try line(limit: 4096)) }
    var hidden = former
    // Ctrl-C comes as a character meanwhile: nobody may be left with a terminal that shows nothing.
    hidden.c_lflag &= ~tcflag_t(ECHO | ISIG)
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
    defer {
      tcsetattr(STDIN_FILENO, TCSAFLUSH, &former)
      say("")
    }
    let text = try line(limit: 4096)
    guard !text.utf8.contains(3) else { throw Failure(.fixTheCall, "interrupted") }
    return Secret(text)
  }
}
