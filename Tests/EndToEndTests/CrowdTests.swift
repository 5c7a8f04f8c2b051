import DeploymentSimulator
import Foundation
import Synchronization
import TestDesk
import Testing

/// What many processes do to one session.
@Suite struct `A crowd` {
  @Test(arguments: [DeploymentSimulator.Era.a, .c])
  func `Twenty processes at expiry cause one refresh and get the same answer`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      try desk.signIn()
      let old = try desk.token()
      try desk.run(["erase"], input: desk.request("username=alice", "password=\(old)"))
      desk.deployment.clearLog()
      // So slow that all have come before it is done.
      desk.deployment.inject(.delay(milliseconds: 700), at: .refresh)
      let answers = try crowd(of: 20) {
        try desk.run(["get"], input: desk.request("capability[]=authtype"), mayAnswer: true)
      }
      #expect(answers.count == 20)
      #expect(answers.allSatisfy { $0.status == 0 && $0.errors.isEmpty })
      let texts = Set(answers.map(\.stdout))
      #expect(texts.count == 1)
      let token = try #require(answers.first?["credential"])
      #expect(token != old && desk.deployment.isValid(accessToken: token))
      #expect(desk.deployment.requests.map(\.grantType) == ["refresh_token"])
    }
  }
}

/// Does the same many times at once, each on a thread of its own.
func crowd<Value: Sendable>(
  of count: Int, _ work: @escaping @Sendable () throws -> Value
) throws -> [Value] {
  let answers = Answers<Value>()
  for _ in 0..<count {
    Thread.detachNewThread { answers.add(Result { try work() }) }
  }
  return try answers.wait(for: count).map { try $0.get() }
}

/// What a crowd brings home.
private final class Answers<Value: Sendable>: Sendable {
  private let results = Mutex<[Result<Value, any Error>]>([])
  private let arrivals = DispatchSemaphore(value: 0)

  func add(_ result: Result<Value, any Error>) {
    results.withLock { $0.append(result) }
    arrivals.signal()
  }

  /// Those who come within two minutes.
  func wait(for count: Int) -> [Result<Value, any Error>] {
    let deadline = DispatchTime.now() + 120
    for _ in 0..<count { _ = arrivals.wait(timeout: deadline) }
    return results.withLock { $0 }
  }
}
