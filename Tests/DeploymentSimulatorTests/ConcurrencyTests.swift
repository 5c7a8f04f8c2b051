import DeploymentSimulator
import Foundation
import Synchronization
import Testing

struct ConcurrencyTests {
  /// Runs `count` threads at once and gathers what they return.
  private func together<T: Sendable>(
    _ count: Int, _ body: @escaping @Sendable () -> T
  ) -> [T] {
    let results = Box<T>()
    let group = DispatchGroup()
    for _ in 0..<count {
      group.enter()
      let thread = Thread {
        let result = body()
        results.values.withLock { $0.append(result) }
        group.leave()
      }
      thread.start()
    }
    #expect(group.wait(timeout: .now() + 120) == .success)
    return results.values.withLock { $0 }
  }

  private final class Box<T: Sendable>: Sendable {
    let values = Mutex<[T]>([])
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `Of fifty refreshes with one token exactly one wins`(
    era: DeploymentSimulator.Era
  ) throws {
    let deployment = try deployment(era)
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let pair = try client.signIn()
    let statuses = together(50) { (try? client.refresh(pair.refresh).status) ?? 0 }
    #expect(statuses.count { $0 == 200 } == 1)
    #expect(statuses.count { $0 == 400 } == 49)
    #expect(deployment.liveTokenPairs == 1)
    #expect(deployment.requests.tokenRequests(grant: "refresh_token").count == 50)
  }

  @Test func `Two redemptions of one code give one pair`() throws {
    let deployment = try DeploymentSimulator()
    defer { deployment.stop() }
    let client = try TestClient.registered(deployment)
    let code = try client.code()
    let statuses = together(2) { (try? client.exchange(code).status) ?? 0 }
    #expect(statuses.sorted() == [200, 400])
  }

  @Test func `Three hundred connections at once all get a response`() throws {
    let deployment = try DeploymentSimulator()
    defer { deployment.stop() }
    deployment.change { $0.latency = 50 }
    let url = deployment.url + "/api/v2/buildinfo"
    let statuses = together(300) { (try? Exchange.send(url).status) ?? 0 }
    #expect(statuses.allSatisfy { $0 == 200 })
  }
}
