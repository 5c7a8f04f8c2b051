import SecretService
import Secrets
import TestDesk
import Testing

@Suite struct `A service that misbehaves` {
  private let asked: Attributes = ["application": "coder-cred", "kind": "session"]

  @Test func `A locked service that hides its items is locked, not empty`() throws {
    let desktop = try PrivateDesktop(.fake([.hidesLockedItems]))
    #expect(failure { try desktop.service().search(asked) } == .locked)
  }

  @Test func `An item with other attributes than asked for is not found`() throws {
    let desktop = try PrivateDesktop(.fake([.otherAttributes]))
    #expect(try desktop.service().search(asked).isEmpty)
  }

  @Test func `Two items with the same attributes are two items`() throws {
    let desktop = try PrivateDesktop(.fake([.twoItems]))
    let found = try desktop.service().search(asked)
    #expect(found.count == 2)
    #expect(found.map(\.modified) == [Int.max, Int.max])
  }

  @Test func `A service without key exchange is talked to in plain`() throws {
    let desktop = try PrivateDesktop(.fake([]))
    let service = try desktop.service()
    #expect(try service.secret(of: #require(try service.search(asked).first)) == Secret("tok"))
  }

  @Test func `A service that never answers is timed out`() throws {
    let desktop = try PrivateDesktop(.fake([.hangs]))
    let service = try desktop.service(timeoutSeconds: 1)
    let taken = seconds { #expect(failure { try service.search(asked) } == .timedOut) }
    #expect(taken < 8)
  }

  @Test func `A service that dies in the middle of a call is unavailable`() throws {
    let desktop = try PrivateDesktop(.fake([.diesInSearch]))
    #expect(isUnavailable(failure { try desktop.service().search(asked) }))
  }

  @Test func `An answer of another type than the specification's is malformed`() throws {
    let desktop = try PrivateDesktop(.fake([.wrongType]))
    #expect(isMalformed(failure { try desktop.service().search(asked) }))
  }

  @Test func `An error's text is short and cannot steer a terminal`() throws {
    let desktop = try PrivateDesktop(.fake([.hostileErrorText]))
    guard case .unavailable(let reason) = failure({ try desktop.service().search(asked) })
    else { return #expect(Bool(false), "not unavailable") }
    #expect(reason.hasPrefix("no?[31m??coder-cred"))
    #expect(reason.unicodeScalars.count <= 200)
  }

  @Test(arguments: [
    FakeSecretService.Behaviour.secretNotUTF8, .secretTooLarge, .secretOfOtherSession,
  ])
  func `A secret that cannot be one of ours is malformed`(
    _ behaviour: FakeSecretService.Behaviour
  ) throws {
    let desktop = try PrivateDesktop(.fake([behaviour]))
    let service = try desktop.service()
    let item = try #require(try service.search(asked).first)
    #expect(isMalformed(failure { try service.secret(of: item) }))
  }

  @Test func `Writing never shows a prompt`() throws {
    let desktop = try PrivateDesktop(.fake([.promptsBeforeWriting]))
    let service = try desktop.service()
    let item = try #require(try service.search(asked).first)
    let error = failure { try service.store(Secret("t"), label: "l", attributes: asked) }
    #expect(error == .promptRequired)
    #expect(failure { try service.delete(item) } == .promptRequired)
    #expect(!desktop.journal.contains("prompted"))
  }

  @Test func `Without the alias there is no default collection`() throws {
    let desktop = try PrivateDesktop(.fake([.noAlias]))
    let service = try desktop.service()
    #expect(try service.defaultCollectionState() == .absent)
    #expect(isUnavailable(failure { try service.unlock(timeoutSeconds: 5) }))
  }

  @Test func `A prompt that is answered unlocks`() throws {
    let desktop = try PrivateDesktop(.fake([.locked, .promptCompletes]))
    let service = try desktop.service()
    #expect(try service.defaultCollectionState() == .locked)
    try service.unlock(timeoutSeconds: 20)
    #expect(try service.defaultCollectionState() == .unlocked)
    #expect(desktop.journal.contains("prompted"))
  }

  @Test func `A prompt that is declined is dismissed`() throws {
    let desktop = try PrivateDesktop(.fake([.locked, .promptDismissed]))
    #expect(failure { try desktop.service().unlock(timeoutSeconds: 20) } == .dismissed)
  }

  @Test func `A prompt that says yes and leaves the collection locked is dismissed`() throws {
    let desktop = try PrivateDesktop(.fake([.locked, .promptLies]))
    #expect(failure { try desktop.service().unlock(timeoutSeconds: 20) } == .dismissed)
  }

  @Test func `A prompt that is never answered, nor taken down, is timed out`() throws {
    let desktop = try PrivateDesktop(.fake([.locked, .promptNeverCompletes]))
    let service = try desktop.service()
    let taken = seconds {
      #expect(failure { try service.unlock(timeoutSeconds: 1) } == .timedOut)
    }
    #expect(taken >= 1 && taken < 8)
    #expect(desktop.journal.contains("dismissed"))
  }

  @Test func `A service that dies while it asks is unavailable at once`() throws {
    let desktop = try PrivateDesktop(.fake([.locked, .promptDies]))
    let service = try desktop.service()
    let taken = seconds {
      #expect(isUnavailable(failure { try service.unlock(timeoutSeconds: 30) }))
    }
    #expect(taken < 15)
  }
}
