import SecretService
import Secrets
import TestDesk
import Testing

@Suite struct `A service that misbehaves` {
  private let asked: Attributes = ["application": "coder-cred", "kind": "session"]

  @Test func `A locked service that hides its items is locked, not empty`() throws {
    let fake = try FakeService("hides-locked")
    #expect(failure { try fake.session.service().search(asked) } == .locked)
  }

  @Test func `An item with other attributes than asked for is not found`() throws {
    let fake = try FakeService("other-attributes")
    #expect(try fake.session.service().search(asked).isEmpty)
  }

  @Test func `Two items with the same attributes are two items`() throws {
    let fake = try FakeService("two-items")
    let found = try fake.session.service().search(asked)
    #expect(found.count == 2)
    #expect(found.map(\.modified) == [Int.max, Int.max])
  }

  @Test func `A service without key exchange is talked to in plain`() throws {
    let fake = try FakeService()
    let service = try fake.session.service()
    #expect(try service.secret(of: #require(try service.search(asked).first)) == Secret("tok"))
  }

  @Test func `A service that never answers is timed out`() throws {
    let fake = try FakeService("hang")
    let service = try fake.session.service(timeoutSeconds: 1)
    let taken = seconds { #expect(failure { try service.search(asked) } == .timedOut) }
    #expect(taken < 8)
  }

  @Test func `A service that dies in the middle of a call is unavailable`() throws {
    let fake = try FakeService("die")
    #expect(isUnavailable(failure { try fake.session.service().search(asked) }))
  }

  @Test func `An answer of another type than the specification's is malformed`() throws {
    let fake = try FakeService("wrong-type")
    #expect(isMalformed(failure { try fake.session.service().search(asked) }))
  }

  @Test func `An error's text is short and cannot steer a terminal`() throws {
    let fake = try FakeService("rude-error")
    guard case .unavailable(let reason) = failure({ try fake.session.service().search(asked) })
    else { return #expect(Bool(false), "not unavailable") }
    #expect(reason.hasPrefix("no?[31m??coder-cred"))
    #expect(reason.unicodeScalars.count <= 200)
  }

  @Test(arguments: ["not-utf8", "oversize", "wrong-session"])
  func `A secret that cannot be one of ours is malformed`(_ mood: String) throws {
    let fake = try FakeService(mood)
    let service = try fake.session.service()
    let item = try #require(try service.search(asked).first)
    #expect(isMalformed(failure { try service.secret(of: item) }))
  }

  @Test func `Writing never shows a prompt`() throws {
    let fake = try FakeService("asks-before-writing")
    let service = try fake.session.service()
    let item = try #require(try service.search(asked).first)
    let error = failure { try service.store(Secret("t"), label: "l", attributes: asked) }
    #expect(error == .promptRequired)
    #expect(failure { try service.delete(item) } == .promptRequired)
    #expect(!fake.session.journal.contains("prompted"))
  }

  @Test func `Without the alias there is no default collection`() throws {
    let fake = try FakeService("no-alias")
    let service = try fake.session.service()
    #expect(try service.defaultCollectionState() == .absent)
    #expect(isUnavailable(failure { try service.unlock(timeoutSeconds: 5) }))
  }

  @Test func `A prompt that is answered unlocks`() throws {
    let fake = try FakeService("locked", "prompt-completes")
    let service = try fake.session.service()
    #expect(try service.defaultCollectionState() == .locked)
    try service.unlock(timeoutSeconds: 20)
    #expect(try service.defaultCollectionState() == .unlocked)
    #expect(fake.session.journal.contains("prompted"))
  }

  @Test func `A prompt that is declined is dismissed`() throws {
    let fake = try FakeService("locked", "prompt-dismissed")
    #expect(failure { try fake.session.service().unlock(timeoutSeconds: 20) } == .dismissed)
  }

  @Test func `A prompt that says yes and leaves the collection locked is dismissed`() throws {
    let fake = try FakeService("locked", "prompt-lies")
    #expect(failure { try fake.session.service().unlock(timeoutSeconds: 20) } == .dismissed)
  }

  @Test func `A prompt that is never answered, nor taken down, is timed out`() throws {
    let fake = try FakeService("locked", "prompt-never")
    let service = try fake.session.service()
    let taken = seconds {
      #expect(failure { try service.unlock(timeoutSeconds: 1) } == .timedOut)
    }
    #expect(taken >= 1 && taken < 8)
    #expect(fake.session.journal.contains("dismissed"))
  }

  @Test func `A service that dies while it asks is unavailable at once`() throws {
    let fake = try FakeService("locked", "prompt-dies")
    let service = try fake.session.service()
    let taken = seconds {
      #expect(isUnavailable(failure { try service.unlock(timeoutSeconds: 30) }))
    }
    #expect(taken < 15)
  }
}
