import Foundation
import Glibc

/// A program started for a test: its output goes to a file, its end is waited for.
final class ChildProcess: Sendable {
  struct Failure: Error { let text: String }

  let pid: pid_t
  let output: URL

  /// Starts a program found on `PATH`, with no input and all output in one file.
  init(_ arguments: [String], output: URL, environment: [String: String] = [:]) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(
      &actions, 1, output.path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // Test threads block signals, and a child would inherit that: SIGTERM must reach it.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var noSignals = sigset_t()
    sigemptyset(&noSignals)
    posix_spawnattr_setsigmask(&attributes, &noSignals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let inherited = ["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C"]
    let variables = inherited.merging(environment) { $1 }.map { "\($0)=\($1)" }
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var pid: pid_t = 0
    let result = posix_spawnp(&pid, arguments[0], &actions, &attributes, &argv, &envp)
    guard result == 0 else { throw Failure(text: "cannot start \(arguments[0]): \(result)") }
    self.pid = pid
    self.output = output
  }

  /// What the program has written so far.
  var text: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }

  /// Waits for the end; nil when the deadline, in milliseconds, passes first.
  func waitForEnd(_ deadline: Int) -> Int32? {
    var status: Int32 = 0
    let ended = eventually(within: deadline) { waitpid(pid, &status, WNOHANG) == pid }
    return ended ? status : nil
  }

  /// Ends the program by its own process id and reaps it.
  func end() {
    kill(pid, SIGTERM)
    guard waitForEnd(2_000) == nil else { return }
    kill(pid, SIGKILL)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
  }

  /// Runs a program to its end, which must be a good one.
  static func run(_ arguments: [String], in folder: URL) throws {
    let output = folder.appendingPathComponent("output-\(UUID().uuidString)")
    let child = try ChildProcess(arguments, output: output)
    guard let status = child.waitForEnd(10_000) else {
      child.end()
      throw Failure(text: "\(arguments) did not end")
    }
    guard status == 0 else { throw Failure(text: "\(arguments): \(child.text)") }
  }
}

/// Asks again until the answer is yes or the deadline, in milliseconds, has passed.
func eventually(within deadline: Int, _ isSo: () -> Bool) -> Bool {
  let end = ContinuousClock.now + .milliseconds(deadline)
  while true {
    if isSo() { return true }
    if ContinuousClock.now >= end { return false }
    usleep(2_000)
  }
}
