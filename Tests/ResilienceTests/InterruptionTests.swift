import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What a round of killing came to.
private enum Outcome: Hashable {
  case works
  case endedByInterruption
  case lost(String)
}

/// Who is hit.
private enum Victim {
  /// The process that was asked for a token, and waits.
  case asker
  /// The process that refreshes on its behalf.
  case refresher
}

@Suite(.blocking) struct `A get that is interrupted` {
  /// Starts a refreshing get, sends a signal at a random moment, and looks what is left.
  private func round(
    _ desk: Desk, _ signal: Int32, to victim: Victim, attempts: Int = 5
  ) throws -> Outcome {
    try desk.age()
    let child = try desk.start(["token", desk.url], log: "/dev/null")
    switch victim {
    case .asker:
      usleep(useconds_t.random(in: 0...200_000))
      child.terminate(signal: signal)
    case .refresher:
      var process: Int32?
      waitFor("the refresh, or its end") {
        if let holder = try? desk.lockHolder(), holder != child.pid { process = holder }
        return process != nil || child.exit != nil
      }
      // On a busy machine it may have ended before it was seen: then once more.
      guard let process else {
        guard attempts > 1 else { return .lost("nobody was seen refreshing") }
        return try round(desk, signal, to: victim, attempts: attempts - 1)
      }
      usleep(useconds_t.random(in: 0...120_000))
      kill(process, signal)
    }
    guard child.waitForExit() != nil else {
      return .lost("did not end")
    }
    desk.desktop.end(child)

    var next = try desk.run(["token", desk.url])
    if next.stderr.contains("may stop working") {
      // It is slow, and kept when it comes.
      try desk.waitForRefreshes()
      next = try desk.run(["token", desk.url])
    }
    let token = next.stdout.trimmingCharacters(in: ["\n"])
    if next.status == 0 && desk.deployment.isValid(accessToken: token) { return .works }
    // Perhaps only after the kill: what was sent is acted on.
    let isSpent = desk.deployment.refreshes.contains { $0.status == 200 }
    let saysWhy =
      next.status == 1 && next.stderr.contains("interrupted refresh")
      && next.stderr.contains("coder-cred login \(desk.url)")
    let outcome: Outcome =
      saysWhy && isSpent ? .endedByInterruption : .lost("\(next.status) \(next.stderr)")
    // What ended must cost the server nothing from now on.
    let asked = desk.deployment.requests.count
    #expect(try desk.run(["token", desk.url]).status == 1)
    #expect(desk.deployment.requests.count == asked)
    try desk.login()
    return outcome
  }

  private func interrupt(
    _ count: Int, by signal: Int32, _ victim: Victim, _ name: String
  ) throws -> Int {
    var settings = DeploymentSimulator.Settings()
    settings.latency = 10
    var counts: [Outcome: Int] = [:]
    try Desk.withSession(settings) { desk in
      for _ in 0..<count {
        let outcome = try round(desk, signal, to: victim)
        counts[outcome, default: 0] += 1
        if case .lost(let why) = outcome { Issue.record("lost by \(name): \(why)") }
      }
    }
    return counts[.endedByInterruption] ?? 0
  }

  @Test
  func `Only SIGKILL to the process that refreshes costs a session, between response and save`()
    throws
  {
    _ = try interrupt(rounds(8, full: 200), by: SIGKILL, .refresher, "SIGKILL")
  }

  @Test(arguments: [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGKILL])
  func `Whatever ends the process that was asked, nothing is lost`(signal: Int32) throws {
    let ended = try interrupt(rounds(4, full: 50), by: signal, .asker, "signal \(signal)")
    #expect(ended == 0)
  }

  @Test(arguments: [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGALRM, SIGUSR1])
  func `No signal but SIGKILL reaches the process that refreshes`(signal: Int32) throws {
    let ended = try interrupt(rounds(2, full: 20), by: signal, .refresher, "signal \(signal)")
    #expect(ended == 0)
  }

  @Test(arguments: [SIGTERM, SIGINT, SIGHUP, SIGQUIT])
  func `A signal during the exchange has its effect at once, and the response is saved`(
    signal: Int32
  ) throws {
    try Desk.withSession { desk in
      try desk.age()
      desk.deployment.inject(.hold, at: .refresh)
      let child = try desk.start(["token", desk.url], log: "/dev/null")
      #expect(desk.deployment.wait { !$0.tokenRequests().isEmpty })
      child.terminate(signal: signal)
      #expect(child.waitForExit() == .signal(signal))
      desk.deployment.releaseHeld()
      try desk.waitForRefreshes()
      desk.deployment.clearLog()
      try desk.token()
      #expect(desk.deployment.refreshes.isEmpty, "what was refreshed must have been saved")
    }
  }

  /// The second is stopped for longer than it waits for a response.
  @Test(arguments: [(SIGTSTP, 0), (SIGSTOP, 11)] as [(Int32, UInt32)])
  func `A process that is stopped while it waits keeps nobody else waiting`(
    signal: Int32, seconds: UInt32
  ) throws {
    try Desk.withSession { desk in
      try desk.expire()
      desk.deployment.inject(.hold, at: .refresh)
      let child = try desk.start(["token", desk.url], log: "/dev/null")
      #expect(desk.deployment.wait { !$0.tokenRequests().isEmpty })
      child.terminate(signal: signal)
      desk.deployment.releaseHeld()
      try desk.token()
      #expect(desk.deployment.refreshes.count == 1)
      sleep(seconds)
      child.terminate(signal: SIGCONT)
      #expect(child.waitForExit() == .status(0))
    }
  }

  @Test func `Ctrl-Z at a terminal suspends the waiting alone, and fg ends it well`() throws {
    try withRefreshAtTerminal(#""$0" token "$1" > /dev/null; echo "s=$?"; read -r _; fg; "#) {
      desk, terminal in
      terminal.pressControlZ()
      try terminal.expect("s=\(128 + SIGTSTP)\r\n")
      desk.deployment.releaseHeld()
      try desk.token()
      terminal.type("go")
      try terminal.expect("done=0\r\n")
      #expect(desk.deployment.refreshes.count == 1)
    }
  }

  @Test(arguments: [SIGINT, SIGQUIT])
  func `Ctrl-C or the quit key at a terminal ends the waiting alone`(signal: Int32) throws {
    try withRefreshAtTerminal(#"trap : INT QUIT; "$0" token "$1" > /dev/null; "#) {
      desk, terminal in
      if signal == SIGINT { terminal.pressControlC() } else { terminal.pressControlBackslash() }
      try terminal.expect("done=\(128 + signal)\r\n")
      desk.deployment.releaseHeld()
      try desk.waitForRefreshes()
      try desk.token()
      #expect(desk.deployment.refreshes.count == 1)
    }
  }

  /// Runs lines of a shell with job control at a terminal, whose `token` meets a deployment that does
  /// not respond yet.
  private func withRefreshAtTerminal(
    _ lines: String, _ work: (Desk, Terminal) throws -> Void
  ) throws {
    try Desk.withSession { desk in
      try desk.expire()
      desk.deployment.inject(.hold, at: .refresh)
      let words = ["-mc", lines + #"echo "done=$?""#, desk.program, desk.url]
      try desk.withTerminal("/bin/sh", words) { terminal in
        #expect(desk.deployment.wait { !$0.tokenRequests().isEmpty })
        try work(desk, terminal)
        #expect(terminal.end() == .status(0))
      }
    }
  }

  @Test func `A response that comes after the caller's time is saved all the same`() throws {
    try Desk.withSession { desk in
      try desk.expire()
      desk.deployment.inject(.hold, at: .refresh)
      let late = try desk.run(["token", desk.url])
      expectFailure(late, 75, "a response after more than 10 s")
      #expect(late.stderr.contains("goes on waiting"))
      // The next one waits for it.
      let next = Background { try desk.token() }
      usleep(500_000)
      desk.deployment.releaseHeld()
      _ = try next.value()
      #expect(desk.deployment.refreshes.count == 1)
    }
  }

  @Test func `A refresh killed after the server's response is understood by the next process`()
    throws
  {
    try Desk.withSession { desk in
      try desk.age()
      desk.deployment.inject(.hold, at: .refresh, afterActing: true)
      let child = try desk.start(["token", desk.url], log: "/dev/null")
      #expect(desk.deployment.wait { !$0.tokenRequests().isEmpty })
      usleep(100_000)
      kill(try desk.refreshProcess(of: child), SIGKILL)
      // The token was alive when it was read.
      #expect(child.waitForExit() == .status(0))
      desk.deployment.releaseHeld()
      let next = try desk.run(["token", desk.url])
      #expect(next.status == 1)
      #expect(next.stderr.contains("an interrupted refresh ended it"))
      #expect(next.stderr.contains("coder-cred login \(desk.url)"))
      try desk.login()
      try desk.token()
    }
  }

  @Test func `A refresh killed before the server has acted costs nothing`() throws {
    try Desk.withSession { desk in
      try desk.age()
      desk.deployment.inject(.hold, at: .refresh)
      let child = try desk.start(["token", desk.url], log: "/dev/null")
      #expect(desk.deployment.wait { !$0.tokenRequests().isEmpty })
      kill(try desk.refreshProcess(of: child), SIGKILL)
      #expect(child.waitForExit() == .status(0))
      // Its request is still held, and never answered: the next one is.
      try desk.token()
    }
  }
}
