import Foundation
import Secrets
import SessionFakes
import Testing

@testable import Sessions

@Suite struct `How often a token is verified` {
  private func checked(_ times: Int, at now: Int64 = 1_000) -> VerificationHistory {
    var history = VerificationHistory()
    for _ in 0..<times { history.note("a1", now: now) }
    return history
  }

  @Test func `Six checks of one token are made, and then none until a minute has passed`() {
    #expect(VerificationHistory().mayAsk(about: "a1", now: 0))
    #expect(checked(5).mayAsk(about: "a1", now: 1_000))
    for times in [6, 7, 100] {
      let history = checked(times)
      #expect(!history.mayAsk(about: "a1", now: 1_000))
      #expect(!history.mayAsk(about: "a1", now: 60_999))
      #expect(history.mayAsk(about: "a1", now: 61_000))
    }
  }

  @Test func `The minute begins with the first check, and another one with the first after it`() {
    var history = checked(5)
    history.note("a1", now: 60_999)
    #expect(!history.mayAsk(about: "a1", now: 60_999))
    history.note("a1", now: 61_000)
    #expect(history.mayAsk(about: "a1", now: 61_000))
  }

  @Test func `Another token is another matter, and so is a clock that began anew`() {
    let history = checked(6)
    for token: Secret in ["a2", "a1 ", ""] {
      #expect(history.mayAsk(about: token, now: 1_000))
    }
    #expect(history.mayAsk(about: "a1", now: 999))
  }

  @Test func `It survives the way through its file, beside that of the refreshes`() throws {
    let directory = NSTemporaryDirectory() + "checks-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let runtime = RuntimeDirectory(parents: [directory])
    let files = VerificationHistoryFiles(directory: runtime)
    let session = SessionIdentity(
      deployment: deployment, account: "alice")
    #expect(files.history(of: session) == VerificationHistory())
    files.save(checked(6), of: session)
    RefreshHistoryFiles(directory: runtime).save(RefreshHistory(), of: session)
    #expect(files.history(of: session) == checked(6))
    let folder = "\(directory)/coder-cred"
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: folder).first {
        $0.hasSuffix(".checks")
      })
    for text in ["", "1 1 1\n", "1 1 1 1 1\n", "2 1 1 1\n", "1 -1 1 1\n", "1 1 1 1"] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
      #expect(files.history(of: session) == VerificationHistory(), "\(text)")
    }
  }
}
