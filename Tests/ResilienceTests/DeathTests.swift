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

extension ResilienceTests {
  @Suite struct DeathTests {
    /// Starts a refreshing get, sends a signal at a random moment, and looks what is left.
    private func round(_ life: Life, signal: Int32) throws -> (outcome: Outcome, wasHit: Bool) {
      try life.age()
      let log = "\(life.session.directory)/get.log"
      let child = try life.session.start(life.program, ["token", life.url], log: log)
      usleep(useconds_t.random(in: 0...120_000))
      child.terminate(signal: signal)
      guard let exit = child.waitForExit(timeoutSeconds: 20) else {
        return (.lost("did not end"), true)
      }
      life.session.end(child)
      var wasHit = false
      if case .signal = exit { wasHit = true }

      let next = try life.run("token", life.url)
      let token = next.stdout.trimmingCharacters(in: ["\n"])
      if next.status == 0 && life.deployment.isValid(accessToken: token) { return (.works, wasHit) }
      // Perhaps only after the kill: what was sent is acted on.
      let isSpent = life.refreshes.contains { $0.status == 200 }
      let saysWhy =
        next.status == 1 && next.stderr.contains("interrupted refresh")
        && next.stderr.contains("coder-cred login \(life.url)")
      let outcome: Outcome =
        saysWhy && isSpent ? .endedByInterruption : .lost("\(next.status) \(next.stderr)")
      // What ended must cost the server nothing from now on.
      let asked = life.deployment.requests.count
      #expect(try life.run("token", life.url).status == 1)
      #expect(life.deployment.requests.count == asked)
      try life.signIn()
      return (outcome, wasHit)
    }

    private func rounds(_ count: Int, signal: Int32, _ name: String) throws {
      var settings = DeploymentSimulator.Settings()
      settings.latency = 10
      try Life.with(settings) { life in
        var counts: [Outcome: Int] = [:]
        var hits = 0
        for _ in 0..<count {
          let (outcome, wasHit) = try round(life, signal: signal)
          counts[outcome, default: 0] += 1
          if wasHit { hits += 1 }
          if case .lost(let why) = outcome { Issue.record("lost by \(name): \(why)") }
        }
        let ended = counts[.endedByInterruption] ?? 0
        if signal != SIGKILL { #expect(ended == 0, "\(name) must lose nothing") }
        let works = counts[.works] ?? 0
        tell("\(name): \(count) rounds, \(hits) hit, \(works) work, \(ended) ended by interruption")
      }
    }

    @Test func `A get that is killed costs the session only between answer and save`() throws {
      try rounds(howOften(12, full: 200), signal: SIGKILL, "SIGKILL")
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
    func `A get that is asked to end loses nothing`(signal: Int32) throws {
      try rounds(howOften(6, full: 50), signal: signal, "signal \(signal)")
    }

    @Test func `A signal during the exchange waits for the save, and then has its effect`() throws {
      try Life.with { life in
        try life.age()
        life.deployment.inject(.hold, at: .refresh)
        let log = "\(life.session.directory)/get.log"
        let child = try life.session.start(life.program, ["token", life.url], log: log)
        #expect(life.deployment.wait { !$0.tokenRequests().isEmpty })
        child.terminate(signal: SIGTERM)
        child.terminate(signal: SIGTERM)
        #expect(child.waitForExit(timeoutSeconds: 0.3) == nil)
        life.deployment.releaseHeld()
        #expect(child.waitForExit(timeoutSeconds: 10) == .signal(SIGTERM))
        life.deployment.clearLog()
        try life.expectToken()
        #expect(life.refreshes.isEmpty, "what was refreshed must have been saved")
      }
    }

    @Test func `A refresh killed after the server's answer is understood by the next process`()
      throws
    {
      try Life.with { life in
        try life.age()
        life.deployment.inject(.hold, at: .refresh, afterActing: true)
        let child = try life.session.start(life.program, ["token", life.url])
        #expect(life.deployment.wait { !$0.tokenRequests().isEmpty })
        usleep(100_000)
        child.terminate(signal: SIGKILL)
        #expect(child.waitForExit(timeoutSeconds: 10) == .signal(SIGKILL))
        life.deployment.releaseHeld()
        let next = try life.run("token", life.url)
        #expect(next.status == 1)
        #expect(next.stderr.contains("an interrupted refresh ended it"))
        #expect(next.stderr.contains("coder-cred login \(life.url)"))
        try life.signIn()
        try life.expectToken()
      }
    }

    @Test func `A refresh killed before the server has acted costs nothing`() throws {
      try Life.with { life in
        try life.age()
        life.deployment.inject(.hold, at: .refresh)
        let child = try life.session.start(life.program, ["token", life.url])
        #expect(life.deployment.wait { !$0.tokenRequests().isEmpty })
        child.terminate(signal: SIGKILL)
        #expect(child.waitForExit(timeoutSeconds: 10) == .signal(SIGKILL))
        // Its request is still held, and never answered: the next one is.
        try life.expectToken()
      }
    }
  }
}
