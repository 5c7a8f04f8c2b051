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

  @Test func `A prompt that nobody answers is left alone, and a late answer still counts`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.locked)
      let display = try VirtualDisplay(on: desktop)
      try desktop.addPrompter(on: display)
      let service = try desktop.service(prompts: .ask(timeoutSeconds: 2))
      #expect(failure { try service.unlock() } == .promptUnanswered)
      // gnome-keyring aborts when a prompt that is shown is dismissed by its client.
      #expect(desktop.secretService?.exit == nil)
      let window = try display.waitForWindow("Unlock Login Keyring")
      try display.type(desktop.password, key: "Return", into: window)
      waitFor("the late answer") { (try? service.defaultCollectionState()) == .unlocked }
    }
  }

  @Test func `An item of an open collection counts before its twin in a locked one`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("old"), label: "old", attributes: sessionAttributes())
      let other = try desktop.makeCollection("Archive")
      try desktop.move("old", to: other)
      try desktop.storeAsOtherApplication(
        "new", label: "new",
        sessionAttributes().values.merging(["xdg:schema": SecretService.schema]) { $1 })
      try desktop.lock(other)
      let found = try service.search(sessionAttributes())
      #expect(found.map(\.isLocked) == [false, true])
      #expect(try service.secret(of: found[0]) == Secret("new"))
      try service.store(Secret("newer"), label: "new", attributes: sessionAttributes())
      #expect(try service.secret(of: found[0]) == Secret("newer"))
      // The keyring that is locked is named, not the one that is open.
      #expect(
        failure { try service.secret(of: found[1]) } == .locked(collection: "Archive"))
    }
  }

  @Test func `An item is written where it stands, whatever the default is by now`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("old"), label: "old", attributes: sessionAttributes())
      let other = try desktop.makeCollection("Archive")
      try desktop.call(
        "org.freedesktop.Secret.Service.SetAlias", ["default", "'\(other)'"])
      try service.store(Secret("new"), label: "new", attributes: sessionAttributes())
      let found = try service.search(ours)
      #expect(found.count == 1 && found.allSatisfy { $0.collection != other })
      #expect(try service.secret(of: #require(found.first)) == Secret("new"))
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
