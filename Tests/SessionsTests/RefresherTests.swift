import Credentials
import Foundation
import HTTP
import Secrets
import Testing

@testable import coder_cred_engine

@Suite struct RefresherTests {
  @Test func `A fresh token costs no request and no write`() throws {
    let bench = try Bench()
    #expect(try bench.live().accessToken == "a1")
    #expect(bench.requests == 0 && bench.store.saved.isEmpty)
  }

  @Test func `The item is marked before the refresh token is spent, and saved after`() throws {
    let bench = try Bench()
    bench.answer = { _ throws(HTTPError) in
      #expect(bench.store.session?.refreshingSince == bench.now)
      return FakeEndpoint.tokens("a2")
    }
    #expect(try bench.live(3_000).accessToken == "a2")
    #expect(bench.store.saved.count == 2)
    #expect(bench.store.session?.refreshToken == "r2")
    #expect(bench.store.session?.refreshingSince == nil)
    #expect(bench.store.session?.expiresAt == bench.now + 3_600)
  }

  @Test func `A keyring that takes no write keeps the refresh token unspent`() throws {
    let bench = try Bench()
    bench.store.refusal = { _ in .locked }
    #expect(try bench.live(3_000).accessToken == "a1")
    bench.now += 700
    #expect(bench.failure()?.exitStatus == 69)
    #expect(bench.requests == 0)
  }

  @Test func `The loser of a race takes the winner's tokens, and ends nothing`() throws {
    let bench = try Bench()
    bench.answer = { _ throws(HTTPError) in
      bench.store.session?.accessToken = "winner"
      bench.store.session?.refreshToken = "r9"
      return FakeEndpoint.invalidGrant
    }
    #expect(try bench.live(3_000).accessToken == "winner")
    #expect(bench.store.session?.refreshToken == "r9")
    #expect(bench.store.session?.staleSince == nil)
  }

  @Test func `Of a session that was changed and is dead, nothing is taken either`() throws {
    let bench = try Bench()
    bench.answer = { _ throws(HTTPError) in
      bench.store.session?.refreshToken = "r9"
      bench.store.session?.expiresAt = 1
      return FakeEndpoint.invalidGrant
    }
    bench.now += 700
    #expect(bench.failure(3_000)?.exitStatus == 75)
    #expect(bench.store.session?.refreshToken == "r9")
  }

  @Test func `A verdict on an unchanged session ends it, and nobody asks again`() throws {
    let bench = try Bench()
    bench.answer = { _ throws(HTTPError) in FakeEndpoint.invalidGrant }
    let first = bench.failure(3_000)
    #expect(first?.exitStatus == 1)
    #expect(first?.hint == "coder-cred login https://dev.coder.com")
    #expect(bench.failure()?.exitStatus == 1)
    #expect(bench.requests == 1)
    #expect(bench.store.session?.refreshToken == nil)
    #expect(bench.store.client != nil)
  }

  @Test func `A mark that was found is blamed, and survives an answer that decides nothing`() throws
  {
    let bench = try Bench()
    bench.store.session?.refreshingSince = bench.now - 500
    bench.answer = { _ throws(HTTPError) in HTTPResponse(status: 404) }
    // Whoever finds a mark does not trust the token, however long it has to live.
    #expect(try bench.live().accessToken == "a1")
    #expect(bench.requests == 1)
    #expect(bench.store.session?.refreshingSince == bench.now - 500)
    bench.answer = { _ throws(HTTPError) in FakeEndpoint.invalidGrant }
    #expect(bench.failure()?.message.contains("an interrupted refresh ended it") ?? false)
  }

  @Test func `invalid_client takes the client along, unless it is another by now`() throws {
    for isReplaced in [false, true] {
      let bench = try Bench()
      bench.answer = { _ throws(HTTPError) in
        if isReplaced { bench.store.client?.registration = Bench.registration("new") }
        return HTTPResponse(status: 401, body: Array(#"{"error":"invalid_client"}"#.utf8))
      }
      #expect(bench.failure(3_000)?.exitStatus == 1)
      #expect((bench.store.client == nil) == !isReplaced)
    }
  }

  @Test func `A clock that was set back makes a token suspect, and one request settles it`() throws
  {
    let bench = try Bench()
    bench.now -= 365 * 86_400
    bench.answer = { _ throws(HTTPError) in FakeEndpoint.tokens("a2") }
    #expect(try bench.live().accessToken == "a2")
    #expect(try bench.live().accessToken == "a2")
    #expect(bench.requests == 1)
    #expect(bench.store.session?.expiresAt == bench.now + 3_600)
  }

  @Test func `A clock that was set forward, or a long sleep, makes a token old`() throws {
    let bench = try Bench()
    bench.now += 365 * 86_400
    bench.answer = { _ throws(HTTPError) in FakeEndpoint.tokens("a2") }
    #expect(try bench.live().accessToken == "a2")
    #expect(try bench.live().accessToken == "a2")
    #expect(bench.requests == 1)
  }

  @Test func `A stale token is refreshed once, and then taken for good for half a minute`() throws {
    let bench = try Bench()
    bench.answer = { [bench] _ throws(HTTPError) in
      FakeEndpoint.tokens("a\(bench.requests + 1)", refresh: "r\(bench.requests + 1)")
    }
    bench.store.session?.staleSince = bench.now
    #expect(try bench.live().accessToken == "a2")
    bench.store.session?.staleSince = bench.now
    #expect(try bench.live().accessToken == "a2")
    // But one that is too old as well is refreshed all the same.
    bench.now += 3_590
    #expect(try bench.live().accessToken == "a3")
  }

  @Test func `Whoever comes late with a rejected token gets the one that replaced it`() throws {
    let bench = try Bench()
    bench.answer = { _ throws(HTTPError) in FakeEndpoint.tokens("a2") }
    bench.store.session?.staleSince = bench.now
    let late = try #require(bench.store.session)
    #expect(try bench.live().accessToken == "a2")
    let refresher = Refresher(context: bench.context)
    #expect(
      try refresher.live(late, minimumSeconds: 60, mayRefresh: true).accessToken == "a2")
    #expect(try refresher.replaced(late).accessToken == "a2")
    #expect(bench.requests == 1)
  }

  @Test func `A session is due when its end is near, when idle for days, and when in doubt`() throws
  {
    let bench = try Bench()
    var session = try #require(bench.store.session)
    session.expiresAt = bench.now + 1_799
    #expect(session.isDue(now: bench.now))
    session.expiresAt = bench.now + 1_800
    #expect(!session.isDue(now: bench.now))
    session.expiresAt = nil
    #expect(!session.isDue(now: bench.now))
    session.issuedAt = bench.now - 6 * 86_400
    #expect(session.isDue(now: bench.now))
    session.issuedAt = .min
    #expect(session.isDue(now: bench.now))
    session.issuedAt = bench.now
    session.refreshingSince = bench.now
    #expect(session.isDue(now: bench.now))
  }
}

@Suite struct ServerClockTests {
  @Test func `Only a difference worth a word is told, in words`() {
    #expect(DateRecordingClient.difference(ours: 1_000, theirs: 1_600) == nil)
    #expect(DateRecordingClient.difference(ours: 1_000, theirs: 1_601) == "10 minutes behind")
    #expect(DateRecordingClient.difference(ours: 40_000, theirs: 0) == "11 hours ahead of")
    #expect(DateRecordingClient.difference(ours: 0, theirs: 31_536_000) == "365 days behind")
    #expect(DateRecordingClient.difference(ours: .min, theirs: .max) != nil)
  }
}

@Suite struct TransportTests {
  private static let passing: [HTTPError] = [
    .unreachable(reason: "x"), .timedOut(reason: "x"), .broken(reason: "x"), .tooLarge(reason: "x"),
    .untrusted(reason: "the certificate of dev.coder.com has expired"),
    .clientCertificateRejected(reason: "x"),
  ]

  @Test(arguments: passing)
  func `Without an answer the session stays, and is left alone after two failures`(
    error: HTTPError
  ) throws {
    let bench = try Bench()
    bench.answer = { _ throws(HTTPError) in throw error }
    #expect(try bench.live(3_000).accessToken == "a1")
    bench.now += 700
    #expect(bench.failure()?.exitStatus == 75)
    #expect(bench.failure()?.hint == "to try at once: coder-cred refresh https://dev.coder.com")
    #expect(bench.requests == 2)
    #expect(bench.store.session?.refreshToken == "r1")
    #expect(bench.store.session?.staleSince == nil)
  }

  @Test func `A mistake in the configuration makes nobody wait once it is mended`() throws {
    let bench = try Bench()
    bench.now += 700
    bench.answer = { _ throws(HTTPError) in throw .misconfigured(reason: "no such file") }
    for _ in 0..<3 { #expect(bench.failure()?.exitStatus == 64) }
    #expect(bench.store.session?.refreshingSince == nil)
    bench.answer = { _ throws(HTTPError) in FakeEndpoint.tokens("a2") }
    #expect(try bench.live().accessToken == "a2")
  }

  @Test func `A certificate out of its time may be a clock out of its own`() {
    let failure = Failure(
      .untrusted(reason: "the certificate of dev.coder.com is not valid yet"), at: deployment)
    #expect(failure.hint?.contains("this machine's clock is wrong; it says 20") ?? false)
    #expect(
      Failure(.untrusted(reason: "signed by an unknown authority"), at: deployment)
        .hint?.contains("ca-file") ?? false)
  }
}
