import Foundation
import SecretService
import Secrets
import TestDesk
import Testing

private let asked: Attributes = ["application": "coder-cred", "kind": "session"]

/// What reading the one item of such a service comes to.
private func readItem(
  _ behaviour: FakeSecretService.Behaviour, encrypted: Bool = true
) throws -> Result<Secret, SecretServiceError> {
  let desktop = try PrivateDesktop(.fake([behaviour]))
  let service = try desktop.service()
  let item = try #require(try service.search(asked).first)
  return Result { () throws(SecretServiceError) in
    try service.secret(of: item, encrypted: encrypted)
  }
}

@Suite struct `A service that misbehaves` {
  @Test func `A locked service that hides its items is locked, not empty`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.hidesLockedItems]))
      #expect(
        failure { try desktop.service().search(asked) } == .locked(collection: "main"))
    }
  }

  @Test func `An item with other attributes than asked for is not found`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.otherAttributes]))
      #expect(try desktop.service().search(asked).isEmpty)
    }
  }

  @Test func `Two items with the same attributes are two items`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.twoItems]))
      let found = try desktop.service().search(asked)
      #expect(found.count == 2)
      #expect(found.map(\.modified) == [Int.max, Int.max])
    }
  }

  @Test func `A service without key exchange is talked to in plain`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([]))
      let service = try desktop.service()
      #expect(try service.secret(of: #require(try service.search(asked).first)) == Secret("tok"))
    }
  }

  @Test func `A service that never answers is timed out`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.hangs]))
      let service = try desktop.service(timeoutSeconds: 10)
      let taken = seconds { #expect(failure { try service.search(asked) } == .timedOut) }
      #expect(taken < 25)
    }
  }

  @Test func `A service that dies in the middle of a call is unavailable`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.diesInSearch]))
      #expect(isGone(failure { try desktop.service().search(asked) }))
    }
  }

  @Test func `A service that dies between a search and its items is gone, not empty`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.diesInItem]))
      #expect(isGone(failure { try desktop.service().search(asked) }))
    }
  }

  @Test func `An answer of another type than the specification's is malformed`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.wrongType]))
      #expect(isMalformed(failure { try desktop.service().search(asked) }))
    }
  }

  @Test func `An error's text is short and cannot steer a terminal`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.hostileErrorText]))
      guard case .failed(let reason) = failure({ try desktop.service().search(asked) })
      else { return #expect(Bool(false), "it is another failure") }
      #expect(reason.hasPrefix("no [31m coder-cred"))
      #expect(reason.unicodeScalars.count <= 200)
    }
  }

  // Exit tests take values from Swift 6.3 on.
  #if compiler(>=6.3)
    @Test(arguments: [FakeSecretService.Behaviour.secretNotUTF8, .secretTooLarge])
    func `A secret that cannot be one of ours is malformed`(
      _ behaviour: FakeSecretService.Behaviour
    )
      async
    {
      await #expect(processExitsWith: .success) {
        [behaviour = behaviour as FakeSecretService.Behaviour] in
        let desktop = try PrivateDesktop(.fake([behaviour]))
        let service = try desktop.service()
        let item = try #require(try service.search(asked).first)
        #expect(isMalformed(failure { try service.secret(of: item) }))
      }
    }
  #endif

  @Test func `A secret of another session is a broken session, once and again`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.secretOfOtherSession]))
      let service = try desktop.service()
      let item = try #require(try service.search(asked).first)
      guard case .brokenSession = failure({ try service.secret(of: item) }) else {
        return #expect(Bool(false), "it is another failure")
      }
      #expect(
        desktop.journal.split(separator: "\n").filter { $0.hasPrefix("OpenSession") }.count
          == 8)
    }
  }

  // Exit tests take values from Swift 6.3 on.
  #if compiler(>=6.3)
    @Test(arguments: [FakeSecretService.Behaviour.secretOfOtherSession, .secretEncrypted])
    func `A secret that is not as it was asked for without encryption is a broken session`(
      _ behaviour: FakeSecretService.Behaviour
    ) async {
      await #expect(processExitsWith: .success) {
        [behaviour = behaviour as FakeSecretService.Behaviour] in
        guard case .failure(.brokenSession) = try readItem(behaviour, encrypted: false) else {
          return #expect(Bool(false), "it is another failure")
        }
      }
    }

    @Test(arguments: [FakeSecretService.Behaviour.emptyBytesAsSessionOutput, .firstKeyRefused])
    func `Without encryption a secret is read as well`(
      _ behaviour: FakeSecretService.Behaviour
    ) async {
      await #expect(processExitsWith: .success) {
        [behaviour = behaviour as FakeSecretService.Behaviour] in
        let secret = try readItem(behaviour, encrypted: false)
        #expect(secret == .success(Secret("tok")))
      }
    }

    @Test(arguments: [FakeSecretService.Behaviour.firstSessionBroken, .firstKeyRefused])
    func `A session that does not work at first is replaced`(
      _ behaviour: FakeSecretService.Behaviour
    ) async {
      await #expect(processExitsWith: .success) {
        [behaviour = behaviour as FakeSecretService.Behaviour] in
        let secret = try readItem(behaviour)
        #expect(secret == .success(Secret("tok")))
      }
    }
  #endif

  @Test func `Deleting shows no prompt unless that is allowed`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.promptsBeforeWriting, .promptCompletes]))
      let service = try desktop.service()
      let item = try #require(try service.search(asked).first)
      let error = failure { try service.delete(item) }
      #expect(error == .confirmationRequired(item: "item", service: nil))
      #expect(!desktop.journal.contains("prompted"))
      service.prompts = .ask(timeoutSeconds: 20)
      try service.delete(item)
      #expect(desktop.journal.contains("prompted"))
    }
  }

  @Test func `A prompt for a new item of an open collection is followed`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.promptsBeforeWriting, .promptCompletes]))
      try desktop.service().store(Secret("t"), label: "l", attributes: asked)
      #expect(desktop.journal.contains("prompted"))
    }
  }

  // Exit tests take values from Swift 6.3 on.
  #if compiler(>=6.3)
    @Test(arguments: [
      FakeSecretService.Behaviour.promptDismissed, .promptNeverCompletes, .promptOfWrongType,
    ])
    func `A write whose prompt leads to nothing fails, and never with success`(
      _ behaviour: FakeSecretService.Behaviour
    ) async {
      await #expect(processExitsWith: .success) {
        [behaviour = behaviour as FakeSecretService.Behaviour] in
        let desktop = try PrivateDesktop(.fake([.promptsBeforeWriting, behaviour]))
        let service = try desktop.service(
          prompts: .ask(timeoutSeconds: behaviour == .promptNeverCompletes ? 1 : 60))
        let item = try #require(try service.search(asked).first)
        let stored = failure { try service.store(Secret("t"), label: "l", attributes: asked) }
        let deleted = failure { try service.delete(item) }
        switch behaviour {
        case .promptDismissed: #expect(stored == .dismissed && deleted == .dismissed)
        case .promptNeverCompletes:
          #expect(stored == .promptUnanswered && deleted == .promptUnanswered)
        // What a deletion results in has no type.
        default: #expect(isMalformed(stored) && deleted == nil)
        }
      }
    }
  #endif

  @Test func `Without the alias there is no default collection`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.noAlias]))
      let service = try desktop.service()
      #expect(try service.defaultCollectionState() == .absent)
      #expect(failure { try service.unlock() } == .noDefaultCollection)
    }
  }

  @Test func `Without collections nothing is searched for, because that may never end`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.noAlias, .noCollections, .hangs]))
      let service = try desktop.service()
      #expect(failure { try service.search(asked) } == .noDefaultCollection)
    }
  }

  @Test func `Without the alias, items of other collections are found and written`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.noAlias, .ownSchema]))
      let service = try desktop.service()
      #expect(try service.search(asked).count == 1)
      try service.store(Secret("t"), label: "l", attributes: asked)
      #expect(desktop.journal.contains("set l"))
    }
  }

  @Test func `A prompt that is answered unlocks`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.locked, .promptCompletes]))
      let service = try desktop.service(prompts: .ask(timeoutSeconds: 20))
      #expect(try service.defaultCollectionState() == .locked)
      try service.unlock()
      #expect(try service.defaultCollectionState() == .unlocked)
      #expect(desktop.journal.contains("prompted"))
    }
  }

  @Test func `A prompt that is not allowed is not opened`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.locked, .promptCompletes]))
      let service = try desktop.service()
      #expect(failure { try service.unlock() } == .locked(collection: "main"))
      #expect(try service.search(asked).allSatisfy(\.isLocked))
      #expect(!desktop.journal.contains("prompted"))
    }
  }

  @Test func `A prompt that is declined is dismissed`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.locked, .promptDismissed]))
      #expect(
        failure { try desktop.service(prompts: .ask(timeoutSeconds: 20)).unlock() }
          == .dismissed)
    }
  }

  @Test func `A prompt that says yes and leaves the collection locked is dismissed`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.locked, .promptLies]))
      #expect(
        failure { try desktop.service(prompts: .ask(timeoutSeconds: 20)).unlock() }
          == .dismissed)
    }
  }

  @Test func `A prompt that is never answered is left alone, and announced once`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.locked, .promptNeverCompletes]))
      let announcements = "\(desktop.directory)/announcements"
      let service = try desktop.service(
        prompts: .ask(timeoutSeconds: 1) { subject in
          let earlier = (try? String(contentsOfFile: announcements, encoding: .utf8)) ?? ""
          try? "\(earlier)\(subject)".write(
            toFile: announcements, atomically: true, encoding: .utf8)
        })
      let taken = seconds { #expect(failure { try service.unlock() } == .promptUnanswered) }
      #expect(taken >= 1 && taken < 20)
      #expect(!desktop.journal.contains("dismissed"))
      #expect(
        try String(contentsOfFile: announcements, encoding: .utf8)
          == "unlocking(collection: \"main\")")
    }
  }

  @Test func `A service that dies while it asks is gone at once`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.fake([.locked, .promptDies]))
      let service = try desktop.service(prompts: .ask(timeoutSeconds: 30))
      let taken = seconds { #expect(isGone(failure { try service.unlock() })) }
      #expect(taken < 25)
    }
  }
}
