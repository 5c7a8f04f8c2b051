import DeploymentSimulator
import Foundation
import TestDesk
import Testing

extension ResilienceTests {
  @Suite struct CrowdTests {
    @Test(arguments: DeploymentSimulator.Era.allCases)
    func `A hundred processes at expiry cost one refresh and get one answer`(
      era: DeploymentSimulator.Era
    ) throws {
      try Life.with(.init(era: era)) { life in
        let crowd = howOften(30, full: 100)
        var slowest = 0.0
        var total = 0.0
        for _ in 0..<howOften(2, full: 20) {
          try life.expire()
          let results = Gathered<(CommandResult, Double)>()
          let group = DispatchGroup()
          total += seconds {
            for _ in 0..<crowd {
              group.enter()
              Thread.detachNewThread {
                defer { group.leave() }
                let start = ContinuousClock.now
                guard
                  let result = try? life.session.run(
                    life.program, ["token", life.url], timeoutSeconds: 60)
                else { return }
                results.add((result, start.duration(to: .now) / .seconds(1)))
              }
            }
            group.wait()
          }
          let answers = Set(results.all.map { $0.0.output })
          #expect(results.all.count == crowd)
          #expect(results.all.allSatisfy { $0.0.status == 0 && $0.0.errors.isEmpty })
          #expect(answers.count == 1)
          #expect(life.refreshes.count == 1)
          let token = answers.first.map { String(decoding: $0.dropLast(), as: UTF8.self) } ?? ""
          #expect(life.deployment.isValid(accessToken: token))
          slowest = max(slowest, results.all.map(\.1).max() ?? 0)
        }
        #expect(slowest < 10)
        tell(
          "era \(era.rawValue), \(crowd) processes: \(total) s in all, slowest process \(slowest) s"
        )
      }
    }

    @Test func `A hundred processes that meet an outage fail alike, and ask little`() throws {
      try Life.with { life in
        try life.expire()
        life.deployment.inject(.status(503), at: .refresh, times: 1000)
        let results = Gathered<CommandResult>()
        let group = DispatchGroup()
        for _ in 0..<howOften(30, full: 100) {
          group.enter()
          Thread.detachNewThread {
            defer { group.leave() }
            if let result = try? life.session.run(
              life.program, ["token", life.url], timeoutSeconds: 60)
            {
              results.add(result)
            }
          }
        }
        group.wait()
        #expect(results.all.count == howOften(30, full: 100))
        #expect(results.all.allSatisfy { $0.status == 75 && $0.output.isEmpty })
        #expect(life.refreshes.count <= 6)
        life.deployment.clearFaults()
        try life.forgetFailures()
        try life.expectToken()
      }
    }
  }
}
