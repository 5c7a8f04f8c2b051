import Foundation
import OAuth

/// Runs scenarios by many schedules, and keeps count. One thread at a time may use it.
final class Explorer: @unchecked Sendable {
  /// What was run and seen.
  struct Figures {
    var schedules = 0
    var states: Set<Int> = []
    /// The number of deviations up to which every schedule of every scenario was run.
    var completeDeviations = Int.max
    var findings: [Finding] = []
  }

  /// A schedule by which something did not hold.
  struct Finding {
    let scenario: Scenario
    let choices: Choices
    let violations: [String]
  }

  /// Any verifier will do: nothing compares it.
  static let verifier = CodeVerifier()
  /// Findings of one scenario that are kept.
  private static let findingsLimit = 3

  private let turns: Turns
  private(set) var figures = Figures()

  /// Prepares for runs of so many processes.
  init(processes: Int) {
    turns = Turns(count: processes)
  }

  /// Runs a scenario by its schedules with the fewest deviations, and then by random ones.
  ///
  /// - Parameters:
  ///   - scenario: what is run.
  ///   - schedules: how many different ones; three in four of them by order.
  ///   - seed: where the random ones begin.
  func explore(_ scenario: Scenario, schedules: Int, seed: UInt64) {
    var frontier = Frontier()
    var known: Set<Choices> = []
    var findings = 0
    func run(_ chooser: any Chooser) {
      let run = Run(scenario, chooser, turns)
      run.run()
      // After its last deviation a schedule says nothing.
      let last = chooser.choices.lastIndex { $0 != 0 } ?? -1
      let choices = Array(chooser.choices[...last])
      guard known.insert(choices).inserted else { return }
      figures.schedules += 1
      figures.states.formUnion(run.states)
      guard !run.violations.isEmpty else { return }
      findings += 1
      figures.findings.append(
        Finding(scenario: scenario, choices: choices, violations: run.violations))
    }
    while known.count < schedules * 3 / 4, findings < Self.findingsLimit,
      let (prefix, cost) = frontier.next()
    {
      let chooser = PrefixChooser(prefix)
      run(chooser)
      frontier.add(chooser, cost: cost)
    }
    figures.completeDeviations = min(figures.completeDeviations, frontier.deviations - 1)
    for attempt in 0..<(2 * schedules)
    where known.count < schedules && findings < Self.findingsLimit {
      run(RandomChooser(seed: seed &+ UInt64(attempt) &* 0x9E37_79B9))
    }
  }

  /// What happens by a schedule, line by line.
  func story(of finding: Finding) -> String {
    let run = Run(finding.scenario, PrefixChooser(finding.choices), turns, isTraced: true)
    run.run()
    let head = "\(finding.scenario), by \(finding.choices): "
    return (head + finding.violations.joined(separator: "; ")) + "\n  "
      + run.events.joined(separator: "\n  ")
  }
}
