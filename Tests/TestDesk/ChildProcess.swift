import Foundation
import Glibc

/// A child process: started with `posix_spawn`, reaped by its own pid, whatever happens.
///
/// Foundation's `Process` reaps through one shared run loop and is flaky under parallel tests. Here
/// every child has a thread that waits for it and a descriptor that becomes readable at its end.
/// Each leads a session (setsid(2)) and a process group of its own, without a controlling terminal
/// unless it is given one.
package final class ChildProcess: @unchecked Sendable {
  /// What a child's standard stream is connected to.
  enum Stream {
    case null
    case descriptor(Int32)
    case appendTo(path: String)
    /// The first terminal that a session leader opens becomes its controlling terminal (tty(4)).
    case terminal(path: String)
  }

  /// How a child ended.
  package enum Exit: Sendable, Hashable {
    case status(Int32)
    case signal(Int32)
  }

  /// A program that could not be started.
  package struct CannotStart: Error, CustomStringConvertible {
    let executable: String
    let code: Int32
    /// The program and the system's reason.
    package var description: String { "\(executable): \(String(cString: strerror(code)))" }
  }

  /// The child's process id, and its group's.
  package let pid: Int32
  /// The file that it was started with for its output, if any.
  let log: String?
  /// Becomes readable (end of file) once the child was reaped.
  let ended: Descriptor

  private let lock = NSLock()
  private var reaped: Exit?

  /// Starts a program with no descriptor of ours but the three, and `inheriting`: these are
  /// 3, 4, … in the child.
  init(
    _ executable: String, _ arguments: [String], environment: [String: String],
    directory: String? = nil, input: Stream = .null, output: Stream = .null, error: Stream = .null,
    inheriting inherited: [Int32] = [], log: String? = nil
  ) throws {
    self.log = log
    Self.ignoresBrokenPipes
    let ending = try Descriptor.pipe()
    ended = ending.read
    // Copies far above the numbers they get, so that no dup2 overwrites one that is still needed.
    let copies = inherited.map { Descriptor(fcntl($0, F_DUPFD_CLOEXEC, 200)) }
    defer { for copy in copies { copy.close() } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (target, stream) in [(0, input), (1, output), (2, error)] as [(Int32, Stream)] {
      switch stream {
      case .null:
        posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
      case .descriptor(let source):
        posix_spawn_file_actions_adddup2(&actions, source, target)
      case .appendTo(let path):
        posix_spawn_file_actions_addopen(
          &actions, target, path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
      case .terminal(let path):
        posix_spawn_file_actions_addopen(&actions, target, path, O_RDWR, 0)
      }
    }
    var next: Int32 = 3
    for copy in copies {
      posix_spawn_file_actions_adddup2(&actions, copy.number, next)
      next += 1
    }
    _ = Self.closeFrom?(&actions, next)
    if let directory { _ = Self.changeDirectory?(&actions, directory) }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var every = sigset_t()
    sigfillset(&every)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &every)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | Self.setSession))

    var child: pid_t = 0
    let code = Self.withCStrings([executable] + arguments) { argv in
      Self.withCStrings(environment.map { "\($0.key)=\($0.value)" }) { envp in
        executable.contains("/")
          ? posix_spawn(&child, executable, &actions, &attributes, argv, envp)
          : posix_spawnp(&child, executable, &actions, &attributes, argv, envp)
      }
    }
    guard code == 0 else { throw CannotStart(executable: executable, code: code) }
    pid = child
    let end = ending.write
    Thread.detachNewThread { [self] in
      reap()
      end.close()
    }
  }

  /// Sends a signal to the child, unless it was reaped already (its number may be another's then).
  package func terminate(signal: Int32 = 15) {
    lock.withLock { if reaped == nil { _ = kill(pid, signal) } }
  }

  /// Ends the child's whole process group, when the child leads children of its own.
  func killGroup() {
    lock.withLock { if reaped == nil { _ = kill(-pid, SIGKILL) } }
  }

  /// How the child ended, or `nil` while it runs.
  package var exit: Exit? { lock.withLock { reaped } }

  /// Waits for the end, a minute at most or so many seconds; `nil` when the child still runs by then.
  @discardableResult
  package func waitForExit(timeoutSeconds: Double = 60) -> Exit? {
    ended.waitReadable(until: Deadline(seconds: timeoutSeconds))
    return exit
  }

  /// Asks the child to end, then insists.
  @discardableResult
  package func end(within seconds: Double = 2) -> Exit? {
    terminate(signal: SIGTERM)
    if let exit = waitForExit(timeoutSeconds: seconds) { return exit }
    killGroup()
    return waitForExit(timeoutSeconds: 10)
  }

  private func reap() {
    var information = siginfo_t()
    // WNOWAIT: the pid stays ours until the lock is held, so that no signal goes astray.
    while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) == -1 && errno == EINTR {}
    lock.withLock {
      var status: Int32 = 0
      while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
      reaped = status & 0x7f == 0 ? .status(status >> 8 & 0xff) : .signal(status & 0x7f)
    }
  }
}

extension ChildProcess {
  /// Writing to a child that is gone is an error to see, not a reason to die. Children get the
  /// default back.
  private static let ignoresBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

  /// POSIX_SPAWN_SETSID, which glibc shows to GNU sources only.
  private static let setSession: Int32 = 0x80

  // glibc 2.34 has them; Swift's module of glibc leaves out what ends in `_np`.
  private typealias CloseFrom =
    @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
  private typealias ChangeDirectory =
    @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, UnsafePointer<CChar>) -> Int32
  private static let closeFrom = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map {
    unsafeBitCast($0, to: CloseFrom.self)
  }
  private static let changeDirectory = dlsym(nil, "posix_spawn_file_actions_addchdir_np").map {
    unsafeBitCast($0, to: ChangeDirectory.self)
  }

  private static func withCStrings<R>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
  ) -> R {
    let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
      capacity: strings.count + 1)
    for (index, string) in strings.enumerated() { list[index] = strdup(string) }
    list[strings.count] = nil
    defer {
      for index in strings.indices { free(list[index]) }
      list.deallocate()
    }
    return body(list)
  }
}
