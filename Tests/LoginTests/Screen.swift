import Foundation
import Glibc
import Synchronization
import TestDesk
import Testing

/// A terminal with a program in it, and somebody who reads and types.
final class Screen: @unchecked Sendable {
  private let master: Int32
  private let pid: pid_t
  private let text = Mutex("")
  private let exit = Mutex<ChildExit?>(nil)
  private var seen = 0
  private var typed: [String] = []

  enum ChildExit: Equatable {
    case status(Int32)
    case signal(Int32)
  }

  struct CannotStart: Error { let code: Int32 }

  /// Starts a program as the leader of a session whose terminal this is.
  init(_ executable: String, _ arguments: [String], environment: [String: String]) throws {
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    // ioctl_tty(2): TIOCSPTLCK unlocks the other side, and TIOCGPTN tells its number.
    var (lock, number): (Int32, UInt32) = (0, 0)
    guard master >= 0, ioctl(master, 0x4004_5431, &lock) == 0,
      ioctl(master, 0x8004_5430, &number) == 0
    else { throw CannotStart(code: errno) }
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    // A session leader's first terminal becomes its own (tty(4)); POSIX_SPAWN_SETSID is 0x80.
    for descriptor in Int32(0)...2 {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/pts/\(number)", O_RDWR, 0)
    }
    var every = sigset_t()
    var none = sigset_t()
    sigfillset(&every)
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &every)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(
      &attributes, Int16(0x80 | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var child: pid_t = 0
    let argv = ([executable] + arguments).map { strdup($0) } + [nil]
    let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    let code = posix_spawn(&child, executable, &actions, &attributes, argv, envp)
    guard code == 0 else { throw CannotStart(code: code) }
    pid = child
    Thread.detachNewThread { [self] in read() }
    Thread.detachNewThread { [self] in reap() }
  }

  /// Ends the program, if it has not ended, and closes the terminal.
  func close() {
    exit.withLock { if $0 == nil { kill(pid, SIGKILL) } }
    wait(for: "the end") { exit.withLock { $0 != nil } }
    Glibc.close(master)
  }

  /// All that the program wrote, and what the terminal echoed.
  var transcript: String { text.withLock { $0 } }

  /// What the program wrote, without what was typed.
  var said: String {
    typed.filter { $0.count > 20 }
      .reduce(transcript) { $0.replacingOccurrences(of: $1, with: "") }
  }

  /// Whether the terminal shows what is typed, and hears Ctrl-C.
  var isSane: Bool {
    var state = termios()
    let wanted = tcflag_t(ECHO | ICANON | ISIG)
    return tcgetattr(master, &state) == 0 && state.c_lflag & wanted == wanted
  }

  /// Waits until the program has written this, after what was expected last.
  ///
  /// - Returns: what came between.
  @discardableResult
  func expect(
    _ words: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    var between: String?
    wait(for: "“\(words)” on the screen", sourceLocation: sourceLocation) {
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
  func type(_ line: String) {
    typed.append(line)
    send(line + "\n")
  }

  /// Presses Ctrl and C.
  func interrupt() { send("\u{3}") }

  /// Sends a signal to the program.
  func signal(_ number: Int32) { exit.withLock { if $0 == nil { kill(pid, number) } } }

  /// Waits for the program's end.
  func end(sourceLocation: SourceLocation = #_sourceLocation) -> ChildExit? {
    wait(for: "the program's end", sourceLocation: sourceLocation) { exit.withLock { $0 != nil } }
    return exit.withLock { $0 }
  }

  private func send(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(master, bytes, bytes.count)
  }

  private func read() {
    var chunk = [UInt8](repeating: 0, count: 4096)
    var pending: [UInt8] = []
    while true {
      let count = Glibc.read(master, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      pending += chunk[..<count]
      // A character may come in two pieces.
      guard let valid = String(validating: pending, as: UTF8.self) else { continue }
      pending = []
      text.withLock { $0 += valid }
    }
  }

  private func reap() {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    exit.withLock {
      $0 = status & 0x7F == 0 ? .status(status >> 8 & 0xFF) : .signal(status & 0x7F)
    }
  }
}

extension Desk {
  /// Runs the program in a terminal, and looks for secrets among what it says.
  func onScreen(
    _ arguments: [String], environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation, _ work: (Screen) throws -> Void
  ) throws {
    let variables = session.environment.merging(["TERM": "xterm"]) { $1 }
    let screen = try Screen(
      program, arguments, environment: variables.merging(environment) { $1 })
    defer { screen.close() }
    try work(screen)
    #expect(
      !screen.said.contains(canary), "the screen shows a secret", sourceLocation: sourceLocation)
    #expect(screen.isSane, "the terminal is left insane", sourceLocation: sourceLocation)
  }

  /// The address that a login tells to open.
  func address(on screen: Screen) throws -> String {
    try screen.expect("\r\n\r\n  ")
    return try screen.expect("\r\n")
  }
}
