import Foundation
import Glibc
import Synchronization
package import Testing

/// A pseudo-terminal with a program in it, and somebody who reads and types.
package final class Terminal: @unchecked Sendable {
  private let master: Descriptor
  private let child: ChildProcess
  private let text = Mutex("")
  private let readerEnded = DispatchSemaphore(value: 0)
  private var seen = 0
  private var typed: [String] = []

  /// Starts a program whose controlling terminal, input and output this is.
  package init(_ executable: String, _ arguments: [String], environment: [String: String]) throws {
    master = Descriptor(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC))
    // ioctl_tty(2): TIOCSPTLCK unlocks the other side, and TIOCGPTN tells its number.
    var (lock, number): (Int32, UInt32) = (0, 0)
    guard master.number >= 0, ioctl(master.number, 0x4004_5431, &lock) == 0,
      ioctl(master.number, 0x8004_5430, &number) == 0
    else { throw ChildProcess.CannotStart(executable: "/dev/ptmx", code: errno) }
    let side = ChildProcess.Stream.terminal(path: "/dev/pts/\(number)")
    child = try ChildProcess(
      executable, arguments, environment: environment, input: side, output: side, error: side)
    Thread.detachNewThread { [self] in
      read()
      readerEnded.signal()
    }
  }

  /// Ends the program, if it has not ended, and closes the terminal.
  package func close() {
    child.terminate(signal: SIGKILL)
    child.waitForExit()
    // The other side is closed once no process has it; the reader then gets EIO.
    _ = readerEnded.wait(timeout: .now() + 15)
    master.close()
  }

  /// All that the program wrote, and what the terminal echoed.
  package var transcript: String { text.withLock { $0 } }

  /// What the program wrote, without the long lines that were typed.
  package var output: String {
    typed.filter { $0.count > 20 }
      .reduce(transcript) { $0.replacingOccurrences(of: $1, with: "") }
  }

  /// Whether the terminal echoes what is typed, and Ctrl-C sends a signal.
  package var isEchoing: Bool {
    var state = termios()
    let wanted = tcflag_t(ECHO | ICANON | ISIG)
    return tcgetattr(master.number, &state) == 0 && state.c_lflag & wanted == wanted
  }

  /// Waits until the program has written this, after what was expected last.
  ///
  /// - Returns: what came between.
  @discardableResult
  package func expect(
    _ words: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    var between: String?
    waitFor("“\(words)” on the terminal", sourceLocation: sourceLocation) {
      let bytes = transcript.utf8.dropFirst(seen)
      let rest = String(decoding: bytes, as: UTF8.self)
      guard let range = rest.range(of: words) else { return false }
      between = String(rest[..<range.lowerBound])
      seen += rest[..<range.upperBound].utf8.count
      return true
    }
    if between == nil { Issue.record("\(transcript)", sourceLocation: sourceLocation) }
    return try #require(between, sourceLocation: sourceLocation)
  }

  /// Types a line.
  package func type(_ line: String) {
    typed += line.components(separatedBy: "\n")
    send(line + "\n")
  }

  /// Presses keys, without Enter.
  package func press(_ keys: String) { send(keys) }

  /// Presses Ctrl and C.
  package func pressControlC() { send("\u{3}") }

  /// Presses Ctrl and Z, which suspends what is in the foreground.
  package func pressControlZ() { send("\u{1A}") }

  /// Presses Ctrl and \, which quits what is in the foreground.
  package func pressControlBackslash() { send("\u{1C}") }

  /// Sends a signal to the program.
  package func signal(_ number: Int32) { child.terminate(signal: number) }

  /// Waits for the program's end, and until what it wrote last is read.
  package func end(sourceLocation: SourceLocation = #_sourceLocation) -> ChildProcess.Exit? {
    waitFor("the program's end", sourceLocation: sourceLocation) { child.exit != nil }
    // What it left in the background may keep the other side open: then nobody tells.
    if readerEnded.wait(timeout: .now() + 5) == .success { readerEnded.signal() }
    return child.exit
  }

  private func send(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(master.number, bytes, bytes.count)
  }

  private func read() {
    var chunk = [UInt8](repeating: 0, count: 4096)
    var pending: [UInt8] = []
    while true {
      let count = Glibc.read(master.number, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      pending += chunk[..<count]
      // A character may come in two pieces.
      guard let valid = String(validating: pending, as: UTF8.self) else { continue }
      pending = []
      text.withLock { $0 += valid }
    }
  }
}

extension Desk {
  /// Runs the program in a terminal, and looks for secrets in what it writes.
  package func withTerminal(
    _ arguments: [String], environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation, _ work: (Terminal) throws -> Void
  ) throws {
    try withTerminal(
      program, arguments, environment: environment, sourceLocation: sourceLocation, work)
  }

  /// Runs any program in a terminal, and looks for secrets in what it writes.
  package func withTerminal(
    _ executable: String, _ arguments: [String], environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation, _ work: (Terminal) throws -> Void
  ) throws {
    let variables = desktop.environment.merging(["TERM": "xterm"]) { $1 }
      .merging(self.environment) { $1 }.merging(environment) { $1 }
    let terminal = try Terminal(executable, arguments, environment: variables)
    defer { terminal.close() }
    try work(terminal)
    #expect(
      !canary.isIn(terminal.output), "the terminal shows a secret", sourceLocation: sourceLocation)
    #expect(terminal.isEchoing, "the terminal is left without echo", sourceLocation: sourceLocation)
  }

  /// Runs the program in a terminal to its end, and returns all that was shown; nothing is typed.
  package func shown(
    _ arguments: [String], by executable: String? = nil, environment: [String: String] = [:],
    status: Int32 = 0, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    var ended: Terminal?
    try withTerminal(
      executable ?? program, arguments, environment: environment, sourceLocation: sourceLocation
    ) { terminal in
      let exit = terminal.end(sourceLocation: sourceLocation)
      #expect(exit == .status(status), sourceLocation: sourceLocation)
      ended = terminal
    }
    // Only now everything is read.
    return (ended?.transcript ?? "").replacingOccurrences(of: "\r\n", with: "\n")
  }

  /// The address that a login asks to open.
  package func address(
    on terminal: Terminal, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    try terminal.expect("\r\n\r\n  ", sourceLocation: sourceLocation)
    return try terminal.expect("\r\n", sourceLocation: sourceLocation)
  }
}
