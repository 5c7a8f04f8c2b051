import Glibc

extension Terminal {
  /// Asks the person a question; only a line that begins with a y is a yes.
  static func confirms(_ question: String) -> Bool {
    say("\(question) [y/N]")
    var first: UInt8?
    var byte: UInt8 = 0
    // To the end of the line, so that nothing of it answers the next question.
    while true {
      let count = read(STDIN_FILENO, &byte, 1)
      if count < 0 && errno == EINTR { continue }
      guard count == 1, byte != UInt8(ascii: "\n") else { break }
      first = first ?? byte
    }
    return first == UInt8(ascii: "y") || first == UInt8(ascii: "Y")
  }
}
