import Foundation
import Testing

@Suite(.serialized) struct ExplorerTests {
  /// Runs on a thread of its own: the threads of the test pool are few.
  private func apart<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      Thread { continuation.resume(returning: body()) }.start()
    }
  }

  @Test func `Two processes, in every order and with every fault`() async {
    let report = await apart { () -> String in
      let explorer = Explorer(processes: 2)
      let start = DispatchTime.now().uptimeNanoseconds
      for (i, first) in ProcessKind.allCases.enumerated() {
        for second in ProcessKind.allCases[i...] {
          explorer.explore(
            Scenario(processes: [first, second], start: .due), ordered: 100, random: 100, seed: 1)
        }
      }
      let ms = (DispatchTime.now().uptimeNanoseconds - start) / 1_000_000
      var text =
        "\(explorer.figures.schedules) schedules, \(explorer.figures.states.count) states, \(ms) ms, complete \(explorer.figures.completeDeviations), findings \(explorer.figures.findings.count)\n"
      for finding in explorer.figures.findings { text += explorer.story(of: finding) + "\n\n" }
      return text
    }
    print(report)
  }
}
