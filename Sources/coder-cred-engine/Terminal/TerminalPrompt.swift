import Credentials
import Glibc
import Secrets

/// Questions to the person at the terminal.
extension Terminal {
  /// How many milliseconds the rest of what was pasted may come after a line break in it.
  private static let pasteMilliseconds: Int32 = 50
  /// How many answers that are not understood end a question.
  private static let answerLimit = 5

  /// Whether a person can be asked: our input and our words are both at a terminal.
  static var isInteractive: Bool { isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0 }

  /// Whether what is typed is meant for another program: reading it would stop this one (SIGTTIN).
  static func isInBackground(_ input: Int32) -> Bool {
    isatty(input) != 0 && tcgetpgrp(input) != getpgrp()
  }

  /// One line of standard input without its end, of at most `limit` bytes.
  static func line(limit: Int) throws(Failure) -> String {
    var line: [UInt8] = []
    while line.count <= limit, let byte = nextByte(), byte != UInt8(ascii: "\n") {
      line.append(byte)
    }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    return try text(line, limit: limit)
  }

  /// Asks a question and returns the answer in lower case; empty at the end of the input.
  static func ask(_ question: String) throws(Failure) -> String {
    prompt(question)
    return try line(limit: 256).lowercased()
  }

  /// Asks for a secret, which the terminal does not show while it is typed; takes a line of
  /// standard input where there is no terminal.
  ///
  /// - Returns: what was typed, a line break in what was pasted being no end of it; empty for
  ///   Ctrl-D, and at the end of the input.
  static func readSecret(_ question: String) throws(Failure) -> Secret {
    // Quiet before the question stands there: what is pasted at once shall not show either.
    guard let typing = QuietTyping(dropsTypedAhead: true) else {
      return Secret(try line(limit: 4096))
    }
    prompt(question)
    defer {
      typing.end(dropsRest: true)
      say("")
    }
    let bytes = try typedLine(question, limit: 4096, joinsPaste: true, isShown: { _ in false })
    return Secret(try text(bytes ?? [], limit: 4096))
  }

  /// An answer to a question, and the words that mean it; their beginnings do, too.
  struct Choice<Value> {
    let value: Value
    let words: [String]
  }

  /// Asks a question until the answer is one of the choices. Nothing is shown of what is typed but
  /// the beginning of such an answer: what is pasted here may be a secret.
  ///
  /// - Parameters:
  ///   - question: what is asked, the first choice being meant by Enter alone.
  ///   - choices: the answers, at least one.
  /// - Returns: the answer; nil when the person wants no more: `q`, Ctrl-D, or too many answers that
  ///   are none.
  /// - Throws: a failure to read a line that is too long, or no text.
  static func choose<Value>(
    _ question: String, _ choices: [Choice<Value>]
  ) throws(Failure) -> Value? {
    let words = choices.flatMap(\.words) + ["quit"]
    for _ in 0..<answerLimit {
      guard let typing = QuietTyping(dropsTypedAhead: false) else { return nil }
      prompt(question)
      var isUnderstood = false
      defer {
        // What follows an answer that is none belongs to it.
        typing.end(dropsRest: !isUnderstood)
      }
      let typed = try typedLine(question, limit: 4096, joinsPaste: false) { line in
        words.contains { $0.utf8.starts(with: line) }
      }
      guard let typed else {
        say("")
        return nil
      }
      say("")
      let answer = lowercased(typed)
      if answer.isEmpty, let first = choices.first {
        isUnderstood = true
        return first.value
      }
      if let choice = choices.first(where: { $0.words.contains { $0.utf8.starts(with: answer) } }) {
        isUnderstood = true
        return choice.value
      }
      if "quit".utf8.starts(with: answer) { return nil }
      let letters = choices.compactMap { $0.words.first?.prefix(1) }.joined(separator: ", ")
      say("That is no answer here, and was not shown. Type one of \(letters); q ends.")
    }
    return nil
  }

  /// Asks a question that Enter alone answers with yes.
  static func agrees(_ question: String) throws(Failure) -> Bool {
    try choose(
      question + " [Y/n] ",
      [Choice(value: true, words: ["yes"]), Choice(value: false, words: ["no"])]) ?? false
  }

  /// Reads a line from a quiet terminal.
  ///
  /// - Parameters:
  ///   - question: what stands before it, to be shown again after Ctrl-Z.
  ///   - limit: the most bytes.
  ///   - joinsPaste: whether a line break is left out when more comes at once.
  ///   - isShown: whether a line in lower case is shown.
  /// - Returns: the line; nil for Ctrl-D and at the end of the input.
  /// - Throws: a failure to read a line that is too long.
  private static func typedLine(
    _ question: String, limit: Int, joinsPaste: Bool, isShown: ([UInt8]) -> Bool
  ) throws(Failure) -> [UInt8]? {
    var line = TypedLine()
    var shown: [UInt8] = []
    while line.bytes.count <= limit {
      guard let byte = nextByte(onSuspension: { prompt(question) }) else {
        return line.bytes.isEmpty ? nil : line.bytes
      }
      switch line.take(byte) {
      case .none: break
      case .noMore: return nil
      case .ended:
        if !joinsPaste || !hasMore(withinMilliseconds: pasteMilliseconds) { return line.bytes }
      case .changed:
        let next = isShown(lowercased(line.bytes)) ? line.bytes : commonPart(shown, line.bytes)
        let kept = commonPart(shown, next).count
        erase(shown.count - kept)
        prompt(String(decoding: next[kept...], as: UTF8.self))
        shown = next
      }
    }
    _ = try text(line.bytes, limit: limit)
    return nil
  }

  private static func commonPart(_ one: [UInt8], _ other: [UInt8]) -> [UInt8] {
    zip(one, other).prefix { $0 == $1 }.map(\.0)
  }

  private static func lowercased(_ bytes: [UInt8]) -> [UInt8] {
    bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
  }

  private static func text(_ line: [UInt8], limit: Int) throws(Failure) -> String {
    guard line.count <= limit, let text = String(validating: line, as: UTF8.self) else {
      throw Failure(.fixTheInput, "the line on standard input is too long, or not UTF-8")
    }
    return text
  }

  /// The next byte of standard input; nil at its end.
  private static func nextByte(onSuspension: () -> Void = {}) -> UInt8? {
    var byte: UInt8 = 0
    while true {
      let count = read(STDIN_FILENO, &byte, 1)
      if QuietTyping.takeSuspension() { onSuspension() }
      if count < 0 && errno == EINTR { continue }
      return count == 1 ? byte : nil
    }
  }

  private static func hasMore(withinMilliseconds timeout: Int32) -> Bool {
    var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    return poll(&input, 1, timeout) > 0 && input.revents & Int16(POLLIN) != 0
  }
}
