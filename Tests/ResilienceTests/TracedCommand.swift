import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A command of ours under `strace`, which kills or stops it at a system call of its main thread, or
/// lets one fail.
struct TracedCommand {
  let desk: Desk
  /// What to run; the first is a program.
  let words: [String]
  var input = ""
  var environment: [String: String] = [:]

  private var log: String { "\(desk.directory)/system-calls" }

  /// The process that refreshes, started as the one that was asked starts it: with the request on
  /// standard input, and the locked file as descriptor 3.
  static func refresh(_ desk: Desk) throws -> TracedCommand {
    let session = try desk.desktop.item()
    let lock = try #require(try desk.runtimeFiles(".lock").first)
    let request =
      #"{"deployment":"\#(desk.url)","account":"\#(session.account)","reason":"command"}"#
    return TracedCommand(
      desk: desk,
      words: [
        "/bin/sh", "-c", #"exec 3<>"$1" && flock 3 && shift && exec "$@""#, "sh", lock, "--",
        desk.fullProgram, "finish-refresh",
      ], input: "\(request)\n\(session.secret)\n")
  }

  /// The same words with `strace` before our program.
  private func traced(_ injection: String?) -> [String] {
    // Without what the calls read and write: it may be secret.
    let tracer =
      ["strace", "-s", "0", "-o", log] + (injection.map { ["-e", "inject=\($0)"] } ?? [])
    guard let separator = words.firstIndex(of: "--") else { return tracer + words }
    var traced = words
    traced.replaceSubrange(separator...separator, with: tracer)
    return traced
  }

  /// Runs it to its end.
  @discardableResult
  func run(_ injection: String? = nil) throws -> CommandResult {
    try? FileManager.default.removeItem(atPath: log)
    let words = traced(injection)
    return try desk.desktop.run(
      words[0], Array(words.dropFirst()), input: Array(input.utf8),
      environment: desk.environment.merging(environment) { $1 }, timeoutSeconds: 150)
  }

  /// Starts it.
  func start(_ injection: String? = nil) throws -> ChildProcess {
    try? FileManager.default.removeItem(atPath: log)
    let words = traced(injection)
    return try desk.desktop.start(
      words[0], Array(words.dropFirst()), input: Array(input.utf8),
      environment: desk.environment.merging(environment) { $1 }, log: "/dev/null")
  }

  /// The names of the system calls that the last run made, in order.
  var calls: [String] {
    get throws {
      try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").compactMap { line in
        let name = line.prefix { $0 != "(" }
        return name.count < line.count
          && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
          ? String(name) : nil
      }
    }
  }
}

/// What became of the session.
enum Fate: Hashable {
  case works
  /// The next process says that an interrupted refresh ended it, and so it was.
  case ended
  /// The next process hands out what may be dead, and says so: another one is still at it.
  case said
  case lost(String)
}

extension Fate {
  /// What the next process makes of what is left, with another sign-in where one is needed.
  init(of desk: Desk) throws {
    let next = try desk.run(["token", desk.url])
    let token = next.stdout.trimmingCharacters(in: ["\n"])
    if next.status == 0, desk.deployment.isValid(accessToken: token) {
      self = .works
      return
    }
    try desk.login()
    if next.status == 0, next.stderr.contains("may stop working") {
      self = .said
    } else {
      self =
        next.status == 1 && next.stderr.contains("interrupted refresh")
        ? .ended : .lost("\(next.status) \(next.stderr)")
    }
  }
}

extension TracedCommand {
  /// The numbers of the calls to hit: all in a full run, else some, from the first to the last.
  static func numbers(_ count: Int, few: Int) -> [Int] {
    isFullRun ? Array(1...count) : (1...few).map { max(1, $0 * count / few) }
  }

  /// How a call can fail although nothing is wrong with us.
  private static let errors: [(call: String, errors: [String])] = [
    ("openat", ["EMFILE", "EINTR"]), ("socket", ["EMFILE"]),
    ("connect", ["EINTR", "ECONNREFUSED"]), ("write", ["ENOSPC", "EINTR"]),
    ("pwrite64", ["ENOSPC"]), ("ftruncate", ["ENOSPC"]), ("rename", ["ENOSPC"]),
    ("sendto", ["EPIPE", "ECONNRESET", "EINTR"]), ("sendmsg", ["EPIPE", "ECONNRESET", "EINTR"]),
    ("recvfrom", ["ECONNRESET", "EINTR"]), ("recvmsg", ["ECONNRESET", "EINTR"]),
    ("read", ["EINTR"]), ("poll", ["EINTR"]), ("ppoll", ["EINTR"]), ("flock", ["EINTR"]),
  ]

  /// Each way in which one of some calls can fail, or in a thinned run some of them.
  static func failures(of calls: [String], few: Int) throws -> [String] {
    var injections: [String] = []
    for (call, errors) in errors {
      let count = calls.count { $0 == call }
      guard count > 0 else { continue }
      for error in errors {
        injections += (1...count).map { "\(call):error=\(error):when=\($0)" }
      }
    }
    try #require(injections.count > 20)
    let step = isFullRun ? 1 : max(1, injections.count / few)
    return stride(from: 0, to: injections.count, by: step).map { injections[$0] }
  }

  /// Lets the process that a call has stopped go on to its end. Each thread's call of that number
  /// stops it once more.
  static func resume(_ tracer: ChildProcess, _ what: String) {
    waitFor("the end of \(what)", timeoutSeconds: 60) {
      let list = try? String(
        contentsOfFile: "/proc/\(tracer.pid)/task/\(tracer.pid)/children", encoding: .utf8)
      for child in (list ?? "").split(separator: " ").compactMap({ Int32($0) }) {
        kill(child, SIGCONT)
      }
      return tracer.waitForExit(timeoutSeconds: 0.2) != nil
    }
  }
}
