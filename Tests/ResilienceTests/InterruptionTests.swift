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

@Suite(.blocking) struct `A get that is interrupted` {
  /// Starts a refreshing get, sends a signal at a random moment, and looks what is left.
  private func round(_ desk: Desk, signal: Int32) throws -> Outcome {
    try desk.age()
    let child = try desk.start(["token", desk.url], log: "/dev/null")
    usleep(useconds_t.random(in: 0...120_000))
    child.terminate(signal: signal)
    guard child.waitForExit(timeoutSeconds: 20) != nil else {
      return .lost("did not end")
    }
    desk.desktop.end(child)

    let next = try desk.run(["token", desk.url])
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

  private func interrupt(_ count: Int, signal: Int32, _ name: String) throws {
    var settings = DeploymentSimulator.Settings()
    settings.latency = 10
    try Desk.withSession(settings) { desk in
      var counts: [Outcome: Int] = [:]
      for _ in 0..<count {
        let outcome = try round(desk, signal: signal)
        counts[outcome, default: 0] += 1
        if case .lost(let why) = outcome { Issue.record("lost by \(name): \(why)") }
      }
      let ended = counts[.endedByInterruption] ?? 0
      if signal != SIGKILL { #expect(ended == 0, "\(name) must lose nothing") }
    }
  }

  @Test func `by SIGKILL costs the session only between response and save`() throws {
    try interrupt(rounds(12, full: 200), signal: SIGKILL, "SIGKILL")
  }

  @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
  func `by a signal that asks it to end loses nothing`(signal: Int32) throws {
    try interrupt(rounds(6, full: 50), signal: signal, "signal \(signal)")
  }

  @Test func `A signal during the exchange waits for the save, and then has its effect`() throws {
    try Desk.withSession { desk in
      try desk.age()
      desk.deployment.inject(.hold, at: .refresh)
      let child = try desk.start(["token", desk.url], log: "/dev/null")
      #expect(desk.deployment.wait { !$0.tokenRequests().isEmpty })
      child.terminate(signal: SIGTERM)
      child.terminate(signal: SIGTERM)
      #expect(child.waitForExit(timeoutSeconds: 0.3) == nil)
      desk.deployment.releaseHeld()
      #expect(child.waitForExit(timeoutSeconds: 10) == .signal(SIGTERM))
      desk.deployment.clearLog()
      try desk.token()
      #expect(desk.deployment.refreshes.isEmpty, "what was refreshed must have been saved")
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
      child.terminate(signal: SIGKILL)
      #expect(child.waitForExit(timeoutSeconds: 10) == .signal(SIGKILL))
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
      child.terminate(signal: SIGKILL)
      #expect(child.waitForExit(timeoutSeconds: 10) == .signal(SIGKILL))
      // Its request is held for ever; the next one is not.
      try desk.token()
    }
  }
}
