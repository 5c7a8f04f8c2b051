import SecretService
import Secrets
import TestDesk
import Testing

@Suite struct `Several writers` {
  @Test func `Two processes that store one item at once leave one item, whole`() async throws {
    let session = try PrivateDesktop(.unlocked)
    let address = session.busAddress
    async let first: Void = writer(address, "first")
    async let second: Void = writer(address, "second")
    try await first
    try await second
    let service = try session.service()
    let found = try service.search(ours)
    #expect(found.count == 1)
    let left = try service.secret(of: #require(found.first)).revealed
    #expect(["first 19", "second 19"].contains(left))
  }

  private func writer(_ address: String, _ name: String) async throws {
    await #expect(processExitsWith: .success) { [address, name] in
      let service = try SecretService(busAddress: address)
      for round in 0..<20 {
        try service.store(
          Secret("\(name) \(round)"), label: name, attributes: sessionAttributes())
      }
    }
  }

  @Test func `Threads with a connection each do not disturb one another`() async throws {
    let session = try PrivateDesktop(.unlocked)
    let address = session.busAddress
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<4 {
        group.addTask {
          let service = try SecretService(busAddress: address)
          for round in 0..<10 {
            let attributes = sessionAttributes("\(worker)")
            try service.store(Secret("\(worker) \(round)"), label: "l", attributes: attributes)
            let item = try #require(try service.search(attributes).first)
            #expect(try service.secret(of: item) == Secret("\(worker) \(round)"))
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try session.service().search(ours).count == 4)
  }
}
