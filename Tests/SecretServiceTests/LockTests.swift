import SecretService
import Secrets
import TestDesk
import Testing

@Suite struct `A locked keyring` {
  @Test func `Locked after it was open: items are found, and everything else is locked`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("t"), label: "l", attributes: sessionAttributes())
      try desktop.lock()
      try expectLocked(service, shown: sessionAttributes())
      try desktop.unlock()
      #expect(try service.defaultCollectionState() == .unlocked)
      let item = try #require(try service.search(sessionAttributes()).first)
      #expect(!item.isLocked)
      #expect(try service.secret(of: item) == Secret("t"))
    }
  }

  @Test func `Never unlocked since login: items are found by our attributes all the same`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      try desktop.service().store(Secret("t"), label: "l", attributes: sessionAttributes())
      try desktop.restartKeyring(unlock: false)
      let service = try desktop.service()
      // The daemon knows only hashes: what was asked for is all there is to show.
      try expectLocked(service, shown: sessionAttributes())
      #expect(try service.search(ours).map(\.attributes) == [ours])
      #expect(try service.search(ours).map(\.modified) == [0])
      try desktop.unlock()
      let item = try #require(try service.search(ours).first)
      #expect(item.attributes == sessionAttributes())
      #expect(try service.secret(of: item) == Secret("t"))
    }
  }

  @Test func `Nothing found in a locked keyring is locked, never an empty answer`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.locked)
      let service = try desktop.service()
      #expect(isLocked(failure { try service.search(sessionAttributes()) }))
      #expect(
        isLocked(failure { try service.store(Secret("t"), label: "l", attributes: ours) }))
    }
  }

  @Test func `An unlock that nobody can be asked for is dismissed at once`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.locked)
      let service = try desktop.service(prompts: .ask(timeoutSeconds: 60))
      let taken = seconds {
        #expect(failure { try service.unlock() } == .dismissed)
      }
      #expect(taken < 30)
      #expect(try service.defaultCollectionState() == .locked)
    }
  }

  @Test func `Unlocking what is open does nothing`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.unlock()
      #expect(try service.defaultCollectionState() == .unlocked)
    }
  }
}

private func expectLocked(_ service: SecretService, shown: Attributes) throws {
  #expect(try service.defaultCollectionState() == .locked)
  let item = try #require(try service.search(sessionAttributes()).first)
  #expect(item.isLocked)
  #expect(item.attributes == shown)
  #expect(isLocked(failure { try service.secret(of: item) }))
  guard case .failure(.locked) = try service.secrets(of: [item]).first else {
    return #expect(Bool(false), "the secrets are not locked")
  }
  #expect(isLocked(failure { try service.delete(item) }))
  let error = failure {
    try service.store(Secret("x"), label: "x", attributes: sessionAttributes())
  }
  #expect(isLocked(error))
  #expect(try service.search(sessionAttributes()).count == 1)
}
