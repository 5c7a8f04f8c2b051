import SecretService
import Secrets
import TestDesk
import Testing

@Suite struct `A brief search` {
  @Test func `tells attributes and locks, and leaves out what costs time`() throws {
    let session = try PrivateDesktop()
    let service = try session.service()
    try service.store(Secret("a"), label: "first", attributes: ["application": "x", "n": "1"])
    try service.store(Secret("b"), label: "second", attributes: ["application": "x", "n": "2"])
    let brief = try service.search(["application": "x"], attributesOnly: true)
    let full = try service.search(["application": "x"])
    #expect(brief.map(\.attributes) == full.map(\.attributes))
    #expect(brief.map(\.schema) == full.map(\.schema))
    #expect(brief.allSatisfy { $0.label.isEmpty && $0.modified == 0 && !$0.isLocked })
    #expect(full.map(\.label).sorted() == ["first", "second"])
    try session.lock()
    #expect(try service.search(["application": "x"], attributesOnly: true).allSatisfy(\.isLocked))
  }
}
