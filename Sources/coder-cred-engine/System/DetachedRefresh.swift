import Credentials
import Glibc
import Secrets
import Sessions

/// A refresh in a process of its own.
///
/// Once a refresh token is sent, what the deployment responds must be saved, whatever happens to the
/// process that asked: an impatient caller, a signal, a closed terminal. So that process only waits.
/// The other one has no terminal, blocks every signal, and inherits the lock.
struct DetachedRefresh {
  /// The process that refreshes.
  let process: pid_t
  /// Where it writes what came of it.
  private let output: Int32

  /// What came of it.
  enum Outcome {
    case session(StoredSession, warnings: [String])
    case failure(Failure, warnings: [String])
    /// It has not ended yet, and goes on.
    case unfinished
    /// It was killed.
    case lost
  }

  /// Starts it; nil when no process can be started.
  ///
  /// - Parameters:
  ///   - seen: the session as this process read it.
  ///   - reason: why.
  ///   - held: the lock that the process inherits.
  ///   - environment: the environment.
  init?(
    of seen: StoredSession, because reason: RefreshReason, holding held: HeldLock,
    _ environment: Environment
  ) {
    guard let lock = held.descriptor, let request = try? RefreshMessage.request(reason, for: seen),
      let payload = try? seen.payload()
    else { return nil }
    var variables = environment.variables
    // Others can read the environment of a process.
    variables["CODER_SESSION_TOKEN"] = nil
    guard let input = Pipe(), let output = Pipe() else { return nil }
    defer {
      input.closeReadEnd()
      input.closeWriteEnd()
      output.closeWriteEnd()
    }
    // A person is told there what the keyring asks them.
    let tells = environment["CODER_CRED_TRACE"] == "1" || reason == .command
    let child = ChildProgram.ourselves([FinishRefreshCommand.verb], variables).start(
      input: input.readEnd, output: output.writeEnd, error: tells ? STDERR_FILENO : nil,
      inheriting: lock, blocksSignals: true)
    guard let child else {
      output.closeReadEnd()
      return nil
    }
    process = child
    self.output = output.readEnd
    // Both fit into a pipe's buffer but for the longest payload, which the child reads at once.
    for line in [request, payload] {
      guard writeSecret(line, to: input.writeEnd), writeText("\n", to: input.writeEnd) else {
        break
      }
    }
  }

  /// Waits for the end, at most so many milliseconds.
  func wait(milliseconds: Int) -> Outcome {
    defer { close(output) }
    let deadline = SystemClock().uptimeMilliseconds + Int64(milliseconds)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while bytes.count <= RefreshMessage.maximumBytes {
      // Looked at even after the time: what has come while this process was stopped counts.
      let left = max(0, deadline - SystemClock().uptimeMilliseconds)
      var entry = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, Int32(clamping: left)) > 0 else {
        guard left > 0 else { return .unfinished }
        continue
      }
      let count = read(output, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += chunk[..<count]
    }
    return RefreshMessage.outcome(bytes) ?? .lost
  }
}

extension CommandContext {
  /// How long a process that others wait for waits for its refresh, in milliseconds.
  private static let callerTimeoutMilliseconds = 10_000
  /// How long a person's command or the timer waits, in milliseconds: longer than the refresh can
  /// take.
  private static let commandTimeoutMilliseconds = 120_000

  /// A session refreshed if its situation asks for it; see
  /// ``SessionRefresh/refresh(_:because:mayRefresh:)``.
  func refreshed(
    _ seen: StoredSession, because reason: RefreshReason, mayRefresh: Bool = true
  ) throws -> StoredSession {
    let line = ProgressLine("Refreshing the session with \(seen.deployment.url)", environment)
    defer { line?.end() }
    switch try startRefresh(of: seen, because: reason, mayRefresh: mayRefresh) {
    case .settled(let session): return session
    case .started(let refresh): return try outcome(of: refresh, seen, reason)
    }
  }

  /// Starts a refresh of a session if its situation asks for one.
  ///
  /// - Parameters:
  ///   - seen: the session as this process read it.
  ///   - reason: why.
  ///   - mayRefresh: whether the deployment may be asked.
  ///   - timeoutMilliseconds: how long to wait for other processes; nil for as long as usual.
  /// - Returns: the session, or the refresh; nil for one that could not be started.
  /// - Throws: ``SessionError``.
  func startRefresh(
    of seen: StoredSession, because reason: RefreshReason, mayRefresh: Bool = true,
    timeoutMilliseconds: Int? = nil
  ) throws -> SessionRefresh.Step<DetachedRefresh?> {
    try SessionRefresh(services: services()).refresh(
      seen, because: reason, mayRefresh: mayRefresh, under: fileLock,
      timeoutMilliseconds: timeoutMilliseconds
    ) { held, _ throws(SessionError) in
      DetachedRefresh(of: seen, because: reason, holding: held, environment)
    }
  }

  /// What came of a refresh that was started.
  ///
  /// - Parameters:
  ///   - refresh: nil when it could not be started: then this process refreshes itself.
  ///   - seen: the session as this process read it.
  ///   - reason: why.
  /// - Returns: the session to use.
  /// - Throws: ``Failure``; ``SessionError``.
  func outcome(
    of refresh: DetachedRefresh?, _ seen: StoredSession, _ reason: RefreshReason
  ) throws -> StoredSession {
    guard let refresh else {
      return try SessionRefresh(services: services()).refresh(seen, because: reason)
    }
    let milliseconds =
      reason.hasWaitingCaller ? Self.callerTimeoutMilliseconds : Self.commandTimeoutMilliseconds
    let failure: Failure
    switch refresh.wait(milliseconds: milliseconds) {
    case .session(let session, let warnings):
      for warning in warnings { Terminal.warn(warning) }
      return session
    case .failure(let error, let warnings):
      for warning in warnings { Terminal.warn(warning) }
      throw error
    case .unfinished:
      failure = Failure(
        .retryLater,
        "refreshing the session with \(seen.deployment.url) takes longer than "
          + "\(milliseconds / 1000) s; process \(refresh.process) goes on waiting, and keeps what comes",
        hint: "try again in a moment")
    case .lost:
      failure = Failure(
        .retryLater, "process \(refresh.process), which refreshed the session, was killed",
        hint: "try again")
    }
    guard reason.hasWaitingCaller, seen.isAlive(now: clock.now) else { throw failure }
    Terminal.warn("\(failure.message); the token may stop working at any moment")
    return seen
  }
}
