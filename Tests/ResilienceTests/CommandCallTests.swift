import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What changes a session besides a refresh, stopped at its system calls, or with calls that fail.
@Suite(.blocking) struct `A system call of another command` {
  /// A command, ready to run: alice is signed in, and what it needs is there.
  private static func command(_ verb: String, _ desk: Desk) throws -> TracedCommand {
    switch verb {
    case "login":
      return TracedCommand(
        desk: desk, words: [desk.fullProgram, "login", desk.url], environment: try desk.browser())
    case "logout":
      if try desk.sessions().isEmpty { try desk.login() }
      return TracedCommand(desk: desk, words: [desk.fullProgram, "logout", desk.url])
    default:
      let token = try desk.desktop.item()["access_token"]
      return TracedCommand(
        desk: desk, words: [desk.fullProgram, verb],
        input: desk.request("username=alice", "password=\(token ?? "")"))
    }
  }

  /// Whether what the command left is right: the session lives, or who signed out is signed out once
  /// they do so again.
  private func expectNothingLost(_ verb: String, _ desk: Desk, _ comment: Comment) throws {
    guard verb == "logout" else {
      let fate = try Fate(of: desk)
      #expect(fate == .works || verb == "login" && fate != .said, comment)
      if case .lost = fate { Issue.record("\(comment): \(fate)") }
      return
    }
    try desk.run(["logout", desk.url])
    #expect(try desk.sessions().isEmpty && desk.registrations().isEmpty, comment)
  }

  @Test(arguments: ["login", "logout", "store", "erase"])
  func `may stop it, and nobody gets a dead token for a living one meanwhile`(verb: String) throws {
    try Desk.withSession { desk in
      let dry = try Self.command(verb, desk)
      try dry.run()
      let count = try dry.calls.count
      let stops = rounds(2, full: 25)
      for number in (1...stops).map({ $0 * count / (stops + 1) }) {
        let tracer = try Self.command(verb, desk).start("all:signal=STOP:when=\(number)")
        usleep(700_000)
        let meanwhile = try desk.run(["token", desk.url], timeoutSeconds: 60)
        let token = meanwhile.stdout.trimmingCharacters(in: ["\n"])
        #expect(
          meanwhile.status != 0 || desk.deployment.isValid(accessToken: token)
            || meanwhile.stderr.contains("may stop working"),
          "\(verb), call \(number): \(meanwhile.stderr)")
        #expect([0, 1, 75].contains(meanwhile.status), "\(verb), call \(number)")
        TracedCommand.resume(tracer, "\(verb) stopped at call \(number)")
        desk.desktop.end(tracer)
        try expectNothingLost(verb, desk, "\(verb), call \(number)")
      }
      if verb == "logout" { try desk.login() }
    }
  }

  @Test(arguments: ["login", "logout", "store", "erase"])
  func `may fail once, and no session is lost without a word`(verb: String) throws {
    try Desk.withSession { desk in
      let dry = try Self.command(verb, desk)
      try dry.run()
      let failures = try TracedCommand.failures(of: dry.calls, few: 4)
      for injection in failures {
        let command = try Self.command(verb, desk)
        try desk.forgetFailures()
        try command.run(injection)
        try expectNothingLost(verb, desk, "\(verb), \(injection)")
      }
      print("\(verb): \(failures.count) calls that failed")
      if verb == "logout" { try desk.login() }
    }
  }
}
