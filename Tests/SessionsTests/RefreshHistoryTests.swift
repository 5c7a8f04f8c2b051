import Foundation
import Secrets
import SessionFakes
import Testing

@testable import Sessions

@Suite struct RefreshHistoryTests {
  private func failed(_ times: Int, took: Int64 = 0, retryAfter: Int64? = nil) -> RefreshHistory {
    var history = RefreshHistory()
    for _ in 0..<times { history.fail(now: 1_000, took: took, retryAfter: retryAfter, jitter: 0) }
    return history
  }

  @Test func `A first failure costs no wait, and later ones double it up to five minutes`() {
    let waits = (1...12).map { failed($0).wait(now: 1_000) ?? 0 }
    #expect(
      waits == [
        0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000,
      ])
    #expect(failed(200).wait(now: 1_000) == 300_000)
  }

  @Test func `What took long is not tried again at once`() {
    #expect(failed(1, took: 9_000).wait(now: 1_000) == 2_000)
    #expect(failed(2, took: 9_000).wait(now: 1_000) == 9_000)
    #expect(failed(1, took: .max).wait(now: 1_000) == 2_000)
    #expect(failed(2, took: .max / 8).wait(now: 1_000) == 300_000)
  }

  @Test func `Retry-After is honoured to the second, within an hour`() {
    #expect(failed(1, retryAfter: 7).wait(now: 1_000) == 7_000)
    #expect(failed(1, retryAfter: 0).wait(now: 1_000) == nil)
    #expect(failed(1, retryAfter: 3_600).wait(now: 1_000) == 3_600_000)
    #expect(failed(1, retryAfter: .max).wait(now: 1_000) == 3_600_000)
    #expect(failed(1, retryAfter: .min).wait(now: 1_000) == nil)
  }

  @Test func `Being offline costs two seconds at most, however long it lasts`() {
    var history = RefreshHistory()
    for second in 1...75 {
      history.fail(
        now: Int64(second) * 1_000, took: 3_000, retryAfter: nil, jitter: 1, wasSent: false)
    }
    #expect(history.wait(now: 75_000) == 2_000)
    #expect(history.wait(now: 77_000) == nil)
    // What the deployment asked for before is not forgotten.
    history.fail(now: 80_000, took: 0, retryAfter: 60, jitter: 0)
    history.fail(now: 81_000, took: 0, retryAfter: nil, jitter: 0, wasSent: false)
    #expect(history.wait(now: 81_000) == 59_000)
  }

  @Test func `Jitter adds at most a quarter`() {
    var history = failed(4)
    history.fail(now: 1_000, took: 0, retryAfter: nil, jitter: 1)
    #expect(history.wait(now: 1_000) == 5_000)
    history.fail(now: 1_000, took: 0, retryAfter: nil, jitter: .infinity)
    #expect(history.wait(now: 1_000) == 10_000)
  }

  @Test func `A wait ends, and a clock that began anew ends it, too`() {
    let history = failed(3)
    #expect(history.wait(now: 1_999) == 1)
    #expect(history.wait(now: 2_000) == nil)
    #expect(history.wait(now: 999) == nil)
  }

  @Test func `Success forgets the failures; a forced refresh is remembered for thirty seconds`() {
    var history = failed(5)
    history.succeed(now: 50_000, token: "a2", isForced: true)
    #expect(history.failures == 0)
    #expect(history.wasForced(for: "a2", now: 79_999))
    #expect(!history.wasForced(for: "a2", now: 80_000))
    #expect(!history.wasForced(for: "a2", now: 49_999))
    history.succeed(now: 60_000, token: "a3", isForced: false)
    #expect(history.wasForced(for: "a2", now: 60_000))
  }

  @Test func `A forced refresh speaks for the token that it brought, and for no other`() {
    var history = RefreshHistory()
    history.succeed(now: 50_000, token: "a2", isForced: true)
    for other: Secret in ["a1", "a3", "a2 ", ""] {
      #expect(!history.wasForced(for: other, now: 50_001))
    }
  }

  @Test func `It survives the way through its file, and nothing else does`() throws {
    let directory = NSTemporaryDirectory() + "history-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let files = RefreshHistoryFiles(directory: RuntimeDirectory(parents: [directory]))
    let session = SessionIdentity(deployment: deployment, account: "alice")
    var history = failed(3)
    history.succeed(now: 5_000, token: "a2", isForced: true)
    history.rediscover(now: 5_500)
    history.fail(now: 6_000, took: 0, retryAfter: 9, jitter: 0)
    files.save(history, of: session)
    #expect(files.history(of: session) == history)
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(directory)/coder-cred")
    #expect(names.count == 1)
    let path = "\(directory)/coder-cred/\(names[0])"
    for text in [
      "", "\n", "1 1 1 1 1 1 1\n", "2 1 1 1 1 1\n", "2 1 1 1 1 1 1", "2 1 1 1 1 1 1 1\n",
      "2 -1 1 1 1 1 1\n", "2 1 1 1 1 1 x\n", "2  1 1 1 1 1\n",
      "2 1 1 9223372036854775807 1 1 1\n",
      String(repeating: "1", count: 300) + "\n",
    ] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      #expect(files.history(of: session) == RefreshHistory(), "\(text)")
    }
    for make in [
      { mkfifo(path, 0o600) }, { symlink("/dev/zero", path) }, { mkdir(path, 0o700) },
    ] {
      remove(path)
      #expect(make() == 0)
      #expect(files.history(of: session) == RefreshHistory())
    }
  }
}
