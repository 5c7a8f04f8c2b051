import DeploymentSimulator
import Synchronization
import TestDesk
import Testing

/// Many processes that ask for one session's token at once.
@Suite(.blocking) struct `A crowd` {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `of processes at expiry causes one refresh and gets one token`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.withSession(.init(era: era)) { desk in
      for _ in 0..<rounds(2, full: 20) {
        try desk.expire()
        // So slow that all have come before it is done.
        desk.deployment.inject(.delay(milliseconds: 300), at: .refresh)
        // Half of them as git asks, half as other tools do.
        let turn = Turn()
        let results = try concurrently(rounds(30, full: 100)) {
          try turn.next().isMultiple(of: 2)
            ? desk.run(["token", desk.url])
            : desk.run(["get"], input: desk.request("capability[]=authtype"))
        }
        // Who started the refresh waits ten seconds for it, and says so when they are over.
        let late = results.filter { $0.status == 75 && $0.stderr.contains("goes on waiting") }
        let served = results.filter { $0.status == 0 && $0.errors.isEmpty }
        #expect(late.count <= 1 && late.count + served.count == results.count)
        let tokens = Set(served.map { $0["credential"] ?? $0.lines.first ?? "" })
        #expect(tokens.count == 1)
        #expect(desk.deployment.refreshes.count == 1)
        #expect(desk.deployment.isValid(accessToken: tokens.first ?? ""))
      }
    }
  }

  @Test func `that meets an outage fails alike, and asks the server little`() throws {
    try Desk.withSession { desk in
      try desk.expire()
      desk.deployment.inject(.status(503), at: .refresh, times: 1000)
      let start = ContinuousClock.now
      let results = try concurrently(rounds(30, full: 100)) {
        try desk.run(["token", desk.url])
      }
      #expect(results.allSatisfy { $0.status == 75 && $0.output.isEmpty })
      // The pauses between tries grow; a slow machine has time for more of them.
      let extra = Int(start.duration(to: .now) / .seconds(15))
      #expect(desk.deployment.refreshes.count <= 6 + extra)
      desk.deployment.clearFaults()
      try desk.forgetFailures()
      try desk.token()
    }
  }
}

/// Numbers that threads take one after the other.
private final class Turn: Sendable {
  private let count = Atomic(0)

  func next() -> Int { count.add(1, ordering: .relaxed).oldValue }
}
