import Foundation
import Testing

/// Every order of what processes do to one session, with everything that may go wrong.
///
/// The schedules with the fewest deviations come first; the rest is random, from `CODER_CRED_SEED`
/// if that is set. `CODER_CRED_FULL=1` runs five times as many.
@Suite struct ExplorerTests {
  private static let isFull = ProcessInfo.processInfo.environment["CODER_CRED_FULL"] == "1"

  /// Where the random schedules begin: always alike, but in the full mode.
  private static let seed: UInt64 =
    ProcessInfo.processInfo.environment["CODER_CRED_SEED"].flatMap { UInt64($0) }
    ?? (isFull ? .random(in: 0...UInt64.max) : 1)

  /// Explores on a thread of its own, since those of the test pool are few.
  private func explore(
    _ scenarios: [Scenario], schedules: Int
  ) async throws -> Explorer.Figures {
    let seed = Self.seed
    let explorer = Explorer(processes: scenarios.map(\.processes.count).max() ?? 0)
    let start = ContinuousClock.now
    await withCheckedContinuation { continuation in
      Thread {
        let signals = SignalActions.original
        // What a small scenario leaves over is for the others.
        let total = Self.isFull ? 5 * schedules : schedules
        for (index, scenario) in scenarios.reversed().enumerated() {
          let left = total - explorer.figures.schedules
          explorer.explore(scenario, schedules: left / (scenarios.count - index), seed: seed)
        }
        signals.restore()
        continuation.resume()
      }.start()
    }
    let figures = explorer.figures
    print(
      "explored: \(figures.schedules) schedules of \(scenarios.count) scenarios, all with at most "
        + "\(figures.completeDeviations) deviations; \(figures.states.count) states of keyring and "
        + "server; \(ContinuousClock.now - start); seed \(seed)")
    return figures
  }

  /// All starts, eras and lock scopes, spread over some groups of processes.
  private func scenarios(_ groups: [[ProcessKind]], starts: Int) -> [Scenario] {
    var scenarios: [Scenario] = []
    for (group, processes) in groups.enumerated() {
      for start in 0..<starts {
        let number = group + start
        var scenario = Scenario(
          processes: processes, start: StartState.allCases[number % StartState.allCases.count])
        let spread = group * starts + start
        scenario.era = FakeDeployment.Era.allCases[(spread / 2) % 3]
        scenario.endsReusedFamilies = spread % 2 == 0
        scenario.hasTwoLockDomains = spread % 3 != 0
        if spread % 3 == 2 {
          scenario.lock = spread % 2 == 0 ? .leases : .mixed
          // A lease cannot stand a process that is stopped between its look and its write.
          scenario.faults &= ~Fault.stall.bit
        }
        scenarios.append(scenario)
      }
    }
    return scenarios
  }

  private func expectNothing(_ figures: Explorer.Figures) {
    for finding in figures.findings {
      let story = Explorer(processes: finding.scenario.processes.count).story(of: finding)
      Issue.record("\(story)")
    }
  }

  @Test func `Two processes lose no session, whatever comes between`() async throws {
    let kinds = ProcessKind.allCases
    let pairs = kinds.indices.flatMap { first in kinds[first...].map { [kinds[first], $0] } }
    let scenarios = scenarios(pairs, starts: StartState.allCases.count)
    let figures = try await explore(scenarios, schedules: 104_000)
    expectNothing(figures)
    #expect(figures.schedules >= 100_000)
  }

  @Test func `Three processes lose no session, whatever comes between`() async throws {
    let kinds = ProcessKind.allCases
    let triples = kinds.indices.flatMap { first in
      kinds.indices[first...].flatMap { second in
        kinds[second...].map { [kinds[first], kinds[second], $0] }
      }
    }
    let scenarios = scenarios(triples, starts: 1)
    let figures = try await explore(scenarios, schedules: 20_500)
    expectNothing(figures)
    #expect(figures.schedules >= 20_000)
  }

  @Test func `With a lock in each runtime directory a refresh token is spent twice`() async throws {
    var scenario = Scenario(processes: [.get, .get], start: .due)
    scenario.hasTwoLockDomains = true
    scenario.lock = .ofDirectoryAlone
    scenario.faults = 0
    let figures = try await explore([scenario], schedules: 1_000)
    #expect(figures.findings.contains { $0.violations.contains { $0.contains("spent r1 again") } })
    scenario.lock = .ofBus
    #expect(try await explore([scenario], schedules: 1_000).findings.isEmpty)
  }

  @Test func `Without the mark a crash leaves a dead token that is handed out`() async throws {
    var scenario = Scenario(processes: [.refresh, .get], start: .fresh)
    scenario.showsMarks = false
    scenario.faults = Fault.crash.bit
    let figures = try await explore([scenario], schedules: 1_000)
    #expect(
      figures.findings.contains {
        $0.violations.contains { $0.contains("output the dead a1 without a word") }
      })
    scenario.showsMarks = true
    #expect(try await explore([scenario], schedules: 1_000).findings.isEmpty)
  }
}
