import Basics
import CLinux
import Glibc
import Sessions

/// Another program to start: without a shell, with no descriptor of ours, and with the environment
/// it is given.
struct ChildProgram {
  let executable: String
  /// Its arguments, its own name first.
  let words: [String]
  let variables: [String: String]

  /// This very program with other arguments, wherever it is installed and even if it was replaced
  /// meanwhile.
  static func ourselves(_ arguments: [String], _ variables: [String: String]) -> ChildProgram {
    ChildProgram(
      executable: "/proc/self/exe", words: ["coder-cred"] + arguments, variables: variables)
  }

  /// The program that a name means: an absolute path, or what an absolute entry of `PATH` holds.
  ///
  /// A relative entry would look into whatever directory we were started in.
  static func executable(named name: String, _ environment: Environment) -> String? {
    if name.hasPrefix("/") { return access(name, X_OK) == 0 ? name : nil }
    guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")) else { return nil }
    let path = environment["PATH"] ?? "/usr/bin:/bin"
    return path.utf8.split(separator: UInt8(ascii: ":")).compactMap(String.init)
      .filter { $0.hasPrefix("/") }.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  /// Starts it in a session of its own, so that Ctrl-C in our terminal is not meant for it.
  ///
  /// - Parameters:
  ///   - input: the descriptor its standard input becomes; nil is nothing.
  ///   - output: the descriptor its standard output becomes; nil throws it away.
  ///   - error: the descriptor its standard error becomes; nil throws it away.
  ///   - inherited: the descriptor its descriptor 3 becomes; nil is none.
  ///   - blocksSignals: whether it starts with every signal blocked.
  /// - Returns: its process, or nil when it cannot be started.
  func start(
    input: Int32? = nil, output: Int32? = nil, error: Int32? = nil,
    inheriting inherited: Int32? = nil,
    blocksSignals: Bool = false
  ) -> pid_t? {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    let streams = [(STDIN_FILENO, input), (STDOUT_FILENO, output), (STDERR_FILENO, error)]
    for (descriptor, source) in streams {
      if let source {
        posix_spawn_file_actions_adddup2(&actions, source, descriptor)
      } else {
        posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
      }
    }
    if let inherited { posix_spawn_file_actions_adddup2(&actions, inherited, 3) }
    posix_spawn_file_actions_addclosefrom_np(&actions, inherited == nil ? 3 : 4)
    // Signals as anyone expects them: we ignore SIGPIPE, which pipelines of scripts would inherit.
    var mask = sigset_t()
    var every = sigset_t()
    sigemptyset(&mask)
    sigfillset(&every)
    if blocksSignals { mask = every }
    posix_spawnattr_setsigmask(&attributes, &mask)
    posix_spawnattr_setsigdefault(&attributes, &every)
    posix_spawnattr_setflags(
      &attributes,
      clinux_spawn_setsid | Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
    var child = pid_t()
    let isStarted = withArray(of: words) { words in
      withArray(of: variables.map { "\($0.key)=\($0.value)" }) { variables in
        posix_spawn(&child, executable, &actions, &attributes, words, variables) == 0
      }
    }
    return isStarted ? child : nil
  }

  /// Waits for the end of a process that was started here.
  ///
  /// - Returns: its exit status, or nil when a signal ended it.
  static func wait(for child: pid_t) -> Int32? {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { return nil }
    }
    return status & 0x7F == 0 ? status >> 8 & 0xFF : nil
  }

  /// Runs it to its end and returns what it wrote.
  ///
  /// - Parameters:
  ///   - milliseconds: how long it may take; it is killed then.
  ///   - limit: how many bytes it may write.
  /// - Returns: its standard output if it ended in time, with status 0 and within the limit.
  func output(milliseconds: Int, limit: Int = 4096) -> String? {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let child = start(output: ends[1])
    close(ends[1])
    defer { close(ends[0]) }
    guard let child else { return nil }
    let deadline = SystemClock().uptimeMilliseconds + Int64(milliseconds)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1024)
    var isWhole = false
    while bytes.count <= limit, !isWhole {
      var entry = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
      let left = deadline - SystemClock().uptimeMilliseconds
      guard left > 0 else { break }
      guard poll(&entry, 1, Int32(clamping: left)) > 0 else { continue }
      let count = read(ends[0], &chunk, chunk.count)
      if count > 0 { bytes += chunk[..<count] } else { isWhole = true }
    }
    if !isWhole { kill(child, SIGKILL) }
    guard Self.wait(for: child) == 0, isWhole, bytes.count <= limit else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }

  private func withArray<Value>(
    of strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
  ) -> Value {
    var pointers = strings.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    return pointers.withUnsafeMutableBufferPointer { buffer in
      // Never empty: the terminating nil is always there.
      guard let base = buffer.baseAddress else { fatalError("an array with an element is empty") }
      return body(base)
    }
  }
}
