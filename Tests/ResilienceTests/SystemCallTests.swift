import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `Every system call` {
  /// Kills a command at its calls, or at those from the first one of a name on, and counts the fates.
  private func killAtEachCall(
    _ desk: Desk, few: Int, _ name: String, from first: String? = nil,
    prepare: () throws -> TracedCommand
  ) throws -> [Fate: Int] {
    let dry = try prepare()
    try dry.run()
    let calls = try dry.calls
    let count = calls.count
    try #require(count > 50, "\(name) makes \(count) calls")
    #expect(try Fate(of: desk) == .works)
    let start = try first.map { try #require(calls.firstIndex(of: $0)) } ?? 0
    var fates: [Fate: Int] = [:]
    for number in TracedCommand.numbers(count, few: few) where number > start {
      try prepare().run("all:signal=KILL:when=\(number)")
      let fate = try Fate(of: desk)
      fates[fate, default: 0] += 1
      if case .lost(let why) = fate {
        Issue.record("\(name) killed at call \(number) of \(count): \(why)")
      }
    }
    print("\(name): \(fates.values.reduce(0, +)) kills at \(count - start) calls: \(fates)")
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
      for number in TracedCommand.numbers(count, few: 3) {
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
      // What comes before the browser's response changes nothing, and is most of it.
      let first = isFullRun ? "accept" : nil
      let fates = try killAtEachCall(desk, few: 6, "login", from: first) {
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
        let tracer = try TracedCommand.refresh(desk).start("all:signal=STOP:when=\(number)")
        usleep(700_000)
        let meanwhile = try desk.run(["token", "--min-ttl", "3000", desk.url])
        #expect(meanwhile.status == 0, "\(meanwhile.stderr)")
        #expect(
          desk.deployment.isValid(accessToken: meanwhile.stdout.trimmingCharacters(in: ["\n"]))
            || meanwhile.stderr.contains("may stop working"), "call \(number)")
        TracedCommand.resume(tracer, "the refresh stopped at call \(number)")
        #expect(try Fate(of: desk) == .works, "call \(number)")
      }
    }
  }

  @Test func `of a refresh may fail once, and no session is lost without a word`() throws {
    try Desk.withSession { desk in
      try desk.age()
      try desk.token()
      try desk.age()
      let dry = try TracedCommand.refresh(desk)
      try dry.run()
      let calls = try dry.calls
      var fates: [Fate: Int] = [:]
      for injection in try TracedCommand.failures(of: calls, few: 10) {
        try desk.age()
        try desk.forgetFailures()
        try TracedCommand.refresh(desk).run(injection)
        let fate = try Fate(of: desk)
        fates[fate, default: 0] += 1
        if case .lost(let why) = fate { Issue.record("\(injection): \(why)") }
      }
      print("failed calls: \(fates)")
    }
  }
}
