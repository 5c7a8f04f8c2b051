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

  /// Asks a question and returns the answer in lower case; empty at the end of the input.
  static func ask(_ question: String) throws(Failure) -> String {
    prompt(question)
    return try line(limit: 256).lowercased()
  }

  /// Asks for a secret, which the terminal does not show while it is typed; takes a line of
  /// standard input where there is no terminal.
  static func readSecret(_ question: String) throws(Failure) -> Secret {
    // Hidden before the question stands there: what is pasted at once shall not show either.
    let typing = HiddenTyping()
    if typing != nil { prompt(question) }
    defer {
      if let typing {
        typing.end()
        say("")
      }
    }
    return Secret(try line(limit: 4096))
  }
}

/// A terminal that does not show what is typed, and shows it again however that ends.
private struct HiddenTyping {
  /// The terminal as it was, for the signal handler too.
  private nonisolated(unsafe) static var former = termios()
  private static let deadly = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

  private let actions: [sigaction]
  private let stop: sigaction

  /// Hides what is typed; nil when standard input is no terminal.
  init?() {
    guard tcgetattr(STDIN_FILENO, &Self.former) == 0 else { return nil }
    // Ctrl-C must not leave anybody with a terminal that shows nothing. Any thread may get the
    // signal; tcsetattr(3), signal(2) and kill(2) are safe in a handler (signal-safety(7)).
    var restore = sigaction()
    restore.__sigaction_handler.sa_handler = { number in
      tcsetattr(STDIN_FILENO, TCSAFLUSH, &HiddenTyping.former)
      signal(number, SIG_DFL)
      kill(getpid(), number)
    }
    actions = Self.deadly.map { Self.exchange($0, restore) }
    // A shell would bring us back with a terminal that shows everything.
    var ignore = sigaction()
    ignore.__sigaction_handler.sa_handler = SIG_IGN
    stop = Self.exchange(SIGTSTP, ignore)
    var hidden = Self.former
    hidden.c_lflag &= ~tcflag_t(ECHO)
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
  }

  /// Shows again what is typed; what came after the line is dropped, as no shell shall read it.
  func end() {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &Self.former)
    for (signal, action) in zip(Self.deadly, actions) { _ = Self.exchange(signal, action) }
    _ = Self.exchange(SIGTSTP, stop)
  }

  private static func exchange(_ signal: Int32, _ action: sigaction) -> sigaction {
    var (action, former) = (action, sigaction())
    sigaction(signal, &action, &former)
    return former
  }
}
