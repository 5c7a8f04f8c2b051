import Credentials
import Foundation
import HTTP
import OAuth
import Secrets
import SessionFakes
import Testing

@testable import Sessions

@Suite struct SessionRefreshTests {
  @Test func `A fresh token costs no request and no write`() throws {
    let bench = Bench()
    #expect(try bench.valid().accessToken == "a1")
    #expect(bench.requests == 0 && bench.store.saved.isEmpty)
  }

  @Test func `The item is marked before the refresh token is spent, and saved after`() throws {
    let bench = Bench()
    bench.respond = { _ throws(HTTPError) in
      #expect(bench.store.session?.refreshingSince == bench.clock.now)
      return FakeEndpoint.tokens("a2")
    }
    #expect(try bench.valid(3_000).accessToken == "a2")
    #expect(bench.store.saved.count == 2)
    #expect(bench.store.session?.refreshToken == "r2")
    #expect(bench.store.session?.refreshingSince == nil)
    #expect(bench.store.session?.expiresAt == bench.clock.now + 3_600)
  }

  @Test func `A keyring that takes no write keeps the refresh token unspent`() throws {
    let bench = Bench()
    bench.store.refusal = { _ in .locked }
    #expect(try bench.valid(3_000).accessToken == "a1")
    bench.clock.now += 700
    #expect(bench.failure() == .store(.locked))
    #expect(bench.requests == 0)
  }

  @Test func `What no keyring can hold is handed out at once, and holds nobody up`() throws {
    let bench = Bench()
    bench.respond = { _ throws(HTTPError) in
      bench.store.refusal = { _ in .unwritable(.unwritable(reason: "it would be too large")) }
      return FakeEndpoint.tokens("a2")
    }
    let start = bench.clock.uptimeMilliseconds
    #expect(try bench.valid(3_000).accessToken == "a2")
    #expect(bench.clock.uptimeMilliseconds < start + 100)
    #expect(bench.warnings.count == 1)
  }

  @Test func `The loser of a race takes the winner's tokens, and ends nothing`() throws {
    let bench = Bench()
    bench.respond = { _ throws(HTTPError) in
      bench.store.session?.accessToken = "winner"
      bench.store.session?.refreshToken = "r9"
      return FakeEndpoint.invalidGrant
    }
    #expect(try bench.valid(3_000).accessToken == "winner")
    #expect(bench.store.session?.refreshToken == "r9")
    #expect(bench.store.session?.staleSince == nil)
  }

  @Test func `Of a session that was changed and is dead, nothing is taken either`() throws {
    let bench = Bench()
    bench.respond = { _ throws(HTTPError) in
      bench.store.session?.refreshToken = "r9"
      bench.store.session?.expiresAt = 1
      return FakeEndpoint.invalidGrant
    }
    bench.clock.now += 700
    #expect(bench.failure(3_000) == .changedMeanwhile(bench.identity))
    #expect(bench.store.session?.refreshToken == "r9")
  }

  @Test(arguments: [
    FakeEndpoint.json(400, #"{"error":"bad_refresh_token"}"#), HTTPResponse(status: 400),
    FakeEndpoint.json(200, #"{"error":"token_expired"}"#), HTTPResponse(status: 403),
  ])
  func `A refusal in a form of its own names the sign-in the second time, and ends nothing`(
    _ response: HTTPResponse
  ) throws {
    let bench = Bench()
    bench.respond = { _ throws(HTTPError) in response }
    func isNamed(_ result: Result<StoredSession, SessionError>) -> Bool {
      if case .failure(.refusedUnclearly(bench.identity, _)) = result { true } else { false }
    }
    // Once may be a moment's trouble.
    guard case .failure(.oauth) = bench.refreshed() else {
      Issue.record("the first refusal is more than it says")
      return
    }
    #expect(isNamed(bench.refreshed()))
    // After a refresh that brings tokens, a refusal is the first again.
    bench.respond = { _ throws(HTTPError) in FakeEndpoint.tokens("a2") }
    _ = try bench.refreshed().get()
    bench.respond = { _ throws(HTTPError) in response }
    #expect(!isNamed(bench.refreshed()))
    #expect(bench.store.session?.refreshToken != nil)
  }

  @Test func `Once the access token is dead, an unclear refusal names the sign-in at once`() {
    let bench = Bench()
    bench.clock.now += 10_000
    bench.respond = { _ throws(HTTPError) in HTTPResponse(status: 400) }
    for _ in 1...2 {
      guard case .refusedUnclearly? = bench.failure() else {
        Issue.record("the sign-in is not named")
        return
      }
    }
    // So does whoever comes while the deployment is left alone.
    guard case .leftAloneAfterRefusal? = bench.failure() else {
      Issue.record("the sign-in is not named while waiting")
      return
    }
    #expect(bench.store.session?.refreshToken != nil)
    // Trouble is no refusal.
    let other = Bench()
    other.clock.now += 10_000
    other.respond = { _ throws(HTTPError) in HTTPResponse(status: 503) }
    for _ in 1...2 {
      guard case .oauth? = other.failure() else {
        Issue.record("trouble is taken for a refusal")
        return
      }
    }
    guard case .leftAlone? = other.failure() else {
      Issue.record("trouble is taken for a refusal while waiting")
      return
    }
  }

  @Test func `A verdict on an unchanged session ends it, and nobody asks again`() throws {
    let bench = Bench()
    bench.respond = { _ throws(HTTPError) in FakeEndpoint.invalidGrant }
    #expect(bench.failure(3_000) == .signInNeeded(bench.identity, .refused))
    #expect(bench.failure() == .signInNeeded(bench.identity, .ended))
    #expect(bench.requests == 1)
    #expect(bench.store.session?.refreshToken == nil)
    #expect(bench.store.registration != nil)
  }

  @Test func `A mark that was found is blamed, and survives an answer that decides nothing`() throws
  {
    let bench = Bench()
    bench.store.session?.refreshingSince = bench.clock.now - 500
    bench.respond = { _ throws(HTTPError) in HTTPResponse(status: 429) }
    // Whoever finds a mark does not trust the token, however long it has to live.
    #expect(try bench.valid().accessToken == "a1")
    #expect(bench.requests == 1)
    #expect(bench.store.session?.refreshingSince == bench.clock.now - 500)
    bench.respond = { _ throws(HTTPError) in FakeEndpoint.invalidGrant }
    bench.clock.uptimeMilliseconds += 1_000
    #expect(bench.failure() == .signInNeeded(bench.identity, .refusedAfterInterruption))
  }

  @Test func `A clock that was set back makes a token suspect, and one request settles it`() throws
  {
    let bench = Bench()
    bench.clock.now -= 365 * 86_400
    bench.respond = { _ throws(HTTPError) in FakeEndpoint.tokens("a2") }
    #expect(try bench.valid().accessToken == "a2")
    #expect(try bench.valid().accessToken == "a2")
    #expect(bench.requests == 1)
    #expect(bench.store.session?.expiresAt == bench.clock.now + 3_600)
  }

  @Test func `A clock that was set forward, or a long sleep, makes a token old`() throws {
    let bench = Bench()
    bench.clock.now += 365 * 86_400
    bench.respond = { _ throws(HTTPError) in FakeEndpoint.tokens("a2") }
    #expect(try bench.valid().accessToken == "a2")
    #expect(try bench.valid().accessToken == "a2")
    #expect(bench.requests == 1)
  }

  @Test func `A stale token is refreshed once, and then taken for good for half a minute`() throws {
    let bench = Bench()
    bench.respond = { [bench] _ throws(HTTPError) in
      FakeEndpoint.tokens("a\(bench.requests + 1)", refresh: "r\(bench.requests + 1)")
    }
    bench.store.session?.staleSince = bench.clock.now
    #expect(try bench.valid().accessToken == "a2")
    bench.store.session?.staleSince = bench.clock.now
    #expect(try bench.valid().accessToken == "a2")
    // But one that is too old as well is refreshed all the same.
    bench.clock.now += 3_590
    #expect(try bench.valid().accessToken == "a3")
  }

  @Test func `Whoever comes late with a rejected token gets the one that replaced it`() throws {
    let bench = Bench()
    bench.respond = { _ throws(HTTPError) in FakeEndpoint.tokens("a2") }
    bench.store.session?.staleSince = bench.clock.now
    let late = try #require(bench.store.session)
    #expect(try bench.valid().accessToken == "a2")
    let refresh = SessionRefresh(services: bench.services)
    #expect(
      try refresh.validSession(late, minimumSeconds: 60, mayRefresh: true).accessToken == "a2")
    #expect(try refresh.refreshRejected(late).accessToken == "a2")
    #expect(bench.requests == 1)
  }
}

@Suite struct DateRecordingClientTests {
  @Test func `Only a difference of more than ten minutes is told`() throws {
    for (server, expected) in [(1_600, nil), (1_601, -601), (400, nil), (399, 601)]
      as [(Int64, Int64?)]
    {
      let client = DateRecordingClient(
        client: FakeEndpoint { _ throws(HTTPError) in
          HTTPResponse(status: 200, headers: [HTTPField("Date", Self.date(server))])
        })
      _ = try client.send(HTTPRequest(url: "https://dev.coder.com/"))
      #expect(client.clockDifferenceSeconds(now: 1_000) == expected)
    }
  }

  private static func date(_ seconds: Int64) -> String {
    let clock = [seconds / 3600, seconds / 60 % 60, seconds % 60].map {
      String(100 + $0).dropFirst()
    }
    return "Thu, 01 Jan 1970 \(clock.joined(separator: ":")) GMT"
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
    let bench = Bench()
    bench.respond = { _ throws(HTTPError) in throw error }
    #expect(try bench.valid(3_000).accessToken == "a1")
    bench.clock.now += 700
    #expect(bench.failure() == .oauth(.transport(error), at: deployment))
    #expect(
      bench.failure()
        == .leftAlone(
          bench.identity, failedSecondsAgo: 0,
          nextTrySeconds: error.wasCertainlyNotSent ? 3 : 1))
    #expect(bench.requests == 2)
    #expect(bench.store.session?.refreshToken == "r1")
    #expect(bench.store.session?.staleSince == nil)
  }

  @Test func `A mistake in the configuration makes nobody wait once it is mended`() throws {
    let bench = Bench()
    bench.clock.now += 700
    bench.respond = { _ throws(HTTPError) in throw .misconfigured(reason: "no such file") }
    for _ in 0..<3 {
      #expect(
        bench.failure()
          == .oauth(.transport(.misconfigured(reason: "no such file")), at: deployment))
    }
    #expect(bench.store.session?.refreshingSince == nil)
    bench.respond = { _ throws(HTTPError) in FakeEndpoint.tokens("a2") }
    #expect(try bench.valid().accessToken == "a2")
  }
}
