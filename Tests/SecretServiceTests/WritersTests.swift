import Foundation
import SecretService
import Secrets
import TestDesk
import Testing

@Suite struct `Several writers` {
  // Exit tests take values from Swift 6.3 on.
  #if compiler(>=6.3)
    @Test func `Two processes that write one item at once leave one item, whole`() async throws {
      let desktop = try PrivateDesktop(.unlocked)
      try await writer(desktop.busAddress, "zeroth")
      async let first: Void = writer(desktop.busAddress, "first")
      async let second: Void = writer(desktop.busAddress, "second")
      try await first
      try await second
      try await check(desktop.busAddress, ["first 19", "second 19"])
    }

    @Test func `Two processes that make one item at once may leave two, and the next write one`()
      async throws
    {
      let desktop = try PrivateDesktop(.unlocked)
      async let first: Void = writer(desktop.busAddress, "first")
      async let second: Void = writer(desktop.busAddress, "second")
      try await first
      try await second
      try await writer(desktop.busAddress, "third")
      try await check(desktop.busAddress, ["third 19"])
    }

    private func writer(_ address: String, _ name: String) async throws {
      await #expect(processExitsWith: .success) { [address, name] in
        setenv("DBUS_SESSION_BUS_ADDRESS", address, 1)
        let service = try SecretService()
        for round in 0..<20 {
          try service.store(
            Secret("\(name) \(round)"), label: name, attributes: sessionAttributes())
        }
      }
    }

    private func check(_ address: String, _ expected: [String]) async throws {
      await #expect(processExitsWith: .success) { [address, expected] in
        setenv("DBUS_SESSION_BUS_ADDRESS", address, 1)
        let service = try SecretService()
        let found = try service.search(ours)
        #expect(found.count == 1)
        #expect(expected.contains(try service.secret(of: #require(found.first)).revealed))
      }
    }
  #endif

  @Test func `Threads with an instance each do not disturb one another`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      desktop.enter()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<4 {
          group.addTask {
            let service = try SecretService()
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
      #expect(try desktop.service().search(ours).count == 4)
    }
  }
}
