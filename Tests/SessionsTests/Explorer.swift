import Foundation
import OAuth

/// Runs scenarios by many schedules, and keeps count.
final class Explorer {
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

  /// Runs a scenario by every schedule with few deviations, those with the fewest first, and then
  /// by random ones.
  ///
  /// - Parameters:
  ///   - schedules: how many schedules at most by order, and how many at random.
  ///   - deviations: how many deviations at most in those that are run by order.
  ///   - seed: where the random ones begin.
  func explore(
    _ scenario: Scenario, ordered: Int, random: Int, deviations: Int = 6, seed: UInt64
  ) {
    var frontier = Frontier()
    var hashes: Set<Int> = []
    var findings = 0
    func note(_ run: Run, _ choices: Choices) {
      // Trailing zeros say nothing: nothing deviates there.
      let trimmed = choices.prefix(upTo: (choices.lastIndex { $0 != 0 } ?? -1) + 1)
      guard hashes.insert(trimmed.hashValue).inserted else { return }
      figures.schedules += 1
      figures.states.formUnion(run.states)
      guard !run.violations.isEmpty else { return }
      findings += 1
      figures.findings.append(
        Finding(scenario: scenario, choices: Array(trimmed), violations: run.violations))
    }
    var isComplete = false
    for _ in 0..<ordered {
      guard findings < Self.findingsLimit else { return }
      guard let (prefix, cost) = frontier.next() else {
        isComplete = true
        break
      }
      let chooser = PrefixChooser(prefix)
      let run = Run(scenario, chooser, turns)
      run.run()
      note(run, chooser.choices)
      frontier.add(chooser, cost: cost, limit: deviations)
    }
    let complete = isComplete ? deviations : frontier.deviations - 1
    figures.completeDeviations = min(figures.completeDeviations, complete)
    for index in 0..<random {
      guard findings < Self.findingsLimit else { return }
      let chooser = RandomChooser(seed: seed &+ UInt64(index) &* 0x9E37_79B9)
      let run = Run(scenario, chooser, turns)
      run.run()
      note(run, chooser.choices)
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
