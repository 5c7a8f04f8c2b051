import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A command of ours under `strace`, which kills or stops it at a system call of its main thread, or
/// lets one fail.
private struct TracedCommand {
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
    return words[..<separator] + tracer + words[(separator + 1)...]
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
  func start(_ injection: String) throws -> ChildProcess {
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
private enum Fate: Hashable {
  case works
  /// The next process says that an interrupted refresh ended it, and so it was.
  case ended
  /// The next process hands out what may be dead, and says so: another one is still at it.
  case said
  case lost(String)
}

@Suite(.blocking) struct `Every system call` {
  /// What the next process makes of what is left, with another sign-in where one is needed.
  private func fate(_ desk: Desk) throws -> Fate {
    let next = try desk.run(["token", desk.url])
    let token = next.stdout.trimmingCharacters(in: ["\n"])
    if next.status == 0, desk.deployment.isValid(accessToken: token) { return .works }
    try desk.login()
    if next.status == 0, next.stderr.contains("may stop working") { return .said }
    return next.status == 1 && next.stderr.contains("interrupted refresh")
      ? .ended : .lost("\(next.status) \(next.stderr)")
  }

  /// The numbers of the calls to hit: all in a full run, else some, from the first to the last.
  private func numbers(_ count: Int, few: Int) -> [Int] {
    isFullRun ? Array(1...count) : (1...few).map { max(1, $0 * count / few) }
  }

  /// Kills a command at its calls and counts the fates.
  private func killAtEachCall(
    _ desk: Desk, few: Int, _ name: String, prepare: () throws -> TracedCommand
  ) throws -> [Fate: Int] {
    let dry = try prepare()
    try dry.run()
    let count = try dry.calls.count
    try #require(count > 50, "\(name) makes \(count) calls")
    #expect(try fate(desk) == .works)
    var fates: [Fate: Int] = [:]
    for number in numbers(count, few: few) {
      try prepare().run("all:signal=KILL:when=\(number)")
      let fate = try fate(desk)
      fates[fate, default: 0] += 1
      if case .lost(let why) = fate {
        Issue.record("\(name) killed at call \(number) of \(count): \(why)")
      }
    }
    print("\(name): \(fates.values.reduce(0, +)) kills at \(count) calls: \(fates)")
    return fates
  }

  @Test func `of a refresh may be the last, and only those between response and save cost it`()
    throws
  {
    try Desk.withSession { desk in
      try desk.age()
      try desk.token()
      let fates = try killAtEachCall(desk, few: 12, "refresh") {
        try desk.age()
        return try .refresh(desk)
      }
      let kills = fates.values.reduce(0, +)
      // Before there was a process of its own for it, 34 of 424.
      if isFullRun { #expect((fates[.ended] ?? 0) * 424 < 34 * kills) }
    }
  }

  @Test func `of a process that waits for a refresh may be the last, and costs nothing`() throws {
    try Desk.withSession { desk in
      let fates = try killAtEachCall(desk, few: 6, "token") {
        try desk.age()
        return TracedCommand(desk: desk, words: [desk.fullProgram, "token", desk.url])
      }
      #expect(fates[.ended] == nil)
    }
  }

  @Test func `of a store or an erase may be the last`() throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      for verb in ["store", "erase"] {
        let fates = try killAtEachCall(desk, few: 3, verb) {
          let current = try desk.desktop.item()["access_token"] ?? token
          return TracedCommand(
            desk: desk, words: [desk.fullProgram, verb],
            input: desk.request("username=alice", "password=\(current)"))
        }
        #expect(fates[.ended] == nil)
      }
    }
  }

  @Test func `of a logout may be the last, and the next logout finishes it`() throws {
    try Desk.withSession { desk in
      let command = TracedCommand(desk: desk, words: [desk.fullProgram, "logout", desk.url])
      try command.run()
      let count = try command.calls.count
      for number in numbers(count, few: 3) {
        try desk.login()
        try command.run("all:signal=KILL:when=\(number)")
        try desk.run(["logout", desk.url])
        #expect(try desk.sessions().isEmpty && desk.registrations().isEmpty, "call \(number)")
      }
      try desk.login()
    }
  }

  @Test func `of a sign-in may be the last, and no dead token is handed out for a living one`()
    throws
  {
    try Desk.withSession { desk in
      let browser = try desk.browser()
      let fates = try killAtEachCall(desk, few: 6, "login") {
        TracedCommand(
          desk: desk, words: [desk.fullProgram, "login", desk.url], environment: browser)
      }
      let kills = fates.values.reduce(0, +)
      #expect((fates[.ended] ?? 0) * 10 < kills, "\(fates)")
    }
  }

  @Test func `of a refresh may stop it, and whoever asks meanwhile gets a word and no dead token`()
    throws
  {
    try Desk.withSession { desk in
      try desk.age()
      try desk.token()
      try desk.age()
      let dry = try TracedCommand.refresh(desk)
      try dry.run()
      let count = try dry.calls.count
      let stops = isFullRun ? 40 : 3
      for number in (1...stops).map({ $0 * count / (stops + 1) }) {
        try desk.age(toSeconds: 600)
        let child = try TracedCommand.refresh(desk).start("all:signal=STOP:when=\(number)")
        usleep(700_000)
        let holder = try desk.lockHolder()
        let meanwhile = try desk.run(["token", "--min-ttl", "3000", desk.url])
        #expect(meanwhile.status == 0, "\(meanwhile.stderr)")
        #expect(
          desk.deployment.isValid(accessToken: meanwhile.stdout.trimmingCharacters(in: ["\n"]))
            || meanwhile.stderr.contains("may stop working"), "call \(number)")
        if let holder { kill(holder, SIGCONT) }
        if child.waitForExit(timeoutSeconds: 30) == nil { Issue.record("call \(number) hangs") }
        #expect(try fate(desk) == .works, "call \(number)")
      }
    }
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

  @Test func `of a refresh may fail once, and no session is lost without a word`() throws {
    try Desk.withSession { desk in
      try desk.age()
      try desk.token()
      try desk.age()
      let dry = try TracedCommand.refresh(desk)
      try dry.run()
      let calls = try dry.calls
      var injections: [String] = []
      for (call, errors) in Self.errors {
        let count = calls.count { $0 == call }
        guard count > 0 else { continue }
        for error in errors {
          injections += (1...count).map { "\(call):error=\(error):when=\($0)" }
        }
      }
      try #require(injections.count > 20)
      let step = isFullRun ? 1 : injections.count / 10
      var fates: [Fate: Int] = [:]
      for injection in stride(from: 0, to: injections.count, by: step).map({ injections[$0] }) {
        try desk.age()
        try desk.forgetFailures()
        try TracedCommand.refresh(desk).run(injection)
        let fate = try fate(desk)
        fates[fate, default: 0] += 1
        if case .lost(let why) = fate { Issue.record("\(injection): \(why)") }
      }
      print("failed calls: \(fates)")
    }
  }
}
