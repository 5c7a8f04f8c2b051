import Credentials
import HTTP
import Secrets
import SessionFakes
import Testing

@testable import Sessions

/// Two refreshes of one session by processes that share a keyring and nothing else: no runtime
/// directory, and perhaps no bus name.
@Suite struct SiblingTests {
  private func fail(_ what: String) -> (HTTPRequest) throws(HTTPError) -> HTTPResponse {
    { _ throws(HTTPError) in
      Issue.record("\(what)")
      throw .broken(reason: what)
    }
  }

  @Test func `A sibling's fresh mark means wait, and its tokens are taken`() throws {
    let bench = Bench(lock: FreeLock(coversKeyring: false))
    bench.store.session = bench.store.session?.marked(by: "lease-1", since: bench.clock.now)
    bench.respond = fail("the sibling's refresh token was spent a second time")
    bench.clock.onSleep = { clock in
      guard clock.uptimeMilliseconds > 50_002_000 else { return }
      bench.store.session?.accessToken = "a2"
      bench.store.session?.refreshToken = "r2"
      bench.store.session?.issuedAt = clock.now
      bench.store.session?.expiresAt = clock.now + 3_600
      bench.store.session?.refreshingSince = nil
      bench.store.session?.refreshingBy = nil
    }
    #expect(try bench.valid(3_000).accessToken == "a2")
    #expect(bench.warnings.isEmpty)
  }

  @Test func `A sibling that does not come back is waited for as long as a lease, and no longer`()
    throws
  {
    let bench = Bench(lock: FreeLock(coversKeyring: false))
    bench.clock.now += 700
    bench.store.session = bench.store.session?.marked(by: "lease-1", since: bench.clock.now)
    bench.respond = { _ throws(HTTPError) in FakeEndpoint.tokens("a2") }
    // The timeout of the lock is shorter than the lease.
    #expect(bench.failure() == .busy(holder: nil, waitedSeconds: 30))
    bench.clock.now += 40
    #expect(try bench.valid().accessToken == "a2")
    #expect(bench.requests == 1)
  }

  @Test func `A token that a sibling is about to kill is handed out with a word`() throws {
    let bench = Bench(lock: FreeLock(coversKeyring: false))
    bench.store.session = bench.store.session?.marked(by: "lease-1", since: bench.clock.now)
    #expect(try bench.valid().accessToken == "a1")
    #expect(bench.warnings == [.beingReplaced(.busy(holder: nil, waitedSeconds: 10))])
    #expect(bench.requests == 0)
  }

  @Test func `A mark whose owner must be dead keeps nobody waiting`() throws {
    for owner in ["lock-1", nil] {
      let bench = Bench()
      bench.store.session = bench.store.session?.marked(by: owner, since: bench.clock.now)
      bench.respond = { _ throws(HTTPError) in FakeEndpoint.tokens("a2") }
      let start = bench.clock.uptimeMilliseconds
      #expect(try bench.valid().accessToken == "a2")
      // Only to see whether its own mark stays.
      #expect(bench.clock.uptimeMilliseconds == start + 30)
    }
  }

  @Test func `A lease is read back after a moment, and given up when it is another's`() throws {
    let bench = Bench(lock: FreeLock(coversKeyring: false))
    bench.respond = fail("a lease that was lost was used")
    var isTaken = false
    bench.clock.onSleep = { clock in
      if !isTaken {
        isTaken = true
        bench.store.session = bench.store.session?.marked(by: "lease-2", since: clock.now)
      }
    }
    #expect(try bench.valid(3_000).accessToken == "a1")
    #expect(bench.store.session?.refreshingBy == "lease-2")
    guard case .beingReplaced(.busy)? = bench.warnings.first else {
      Issue.record("\(bench.warnings)")
      return
    }
  }

  @Test func `A session is ended only after looking again, and never over a sibling's save`()
    throws
  {
    let bench = Bench()
    bench.respond = { _ throws(HTTPError) in
      // The sibling has the response, and saves it a moment later.
      bench.clock.onSleep = { clock in
        bench.store.session?.accessToken = "winner"
        bench.store.session?.refreshToken = "r9"
        bench.store.session?.refreshingSince = nil
      }
      return FakeEndpoint.invalidGrant
    }
    #expect(try bench.valid(3_000).accessToken == "winner")
    #expect(bench.store.session?.refreshToken == "r9")
    #expect(bench.store.session?.staleSince == nil)
  }

  @Test func `What a refresh brought is not saved over a sign-in that came between`() throws {
    let bench = Bench()
    bench.respond = { _ throws(HTTPError) in
      bench.store.session?.accessToken = "of the sign-in"
      bench.store.session?.refreshToken = "r9"
      bench.store.session?.issuedAt = bench.clock.now
      bench.store.session?.refreshingSince = nil
      bench.store.session?.refreshingBy = nil
      return FakeEndpoint.tokens("a2")
    }
    #expect(try bench.valid(3_000).accessToken == "of the sign-in")
    #expect(bench.store.session?.refreshToken == "r9")
  }

  @Test func `A session that was removed meanwhile does not come back`() throws {
    let bench = Bench()
    bench.respond = { _ throws(HTTPError) in
      bench.store.session = nil
      return FakeEndpoint.tokens("a2")
    }
    #expect(try bench.valid(3_000).accessToken == "a2")
    #expect(bench.store.session == nil)
  }

  @Test func `A keyring that has just started, and finds nothing yet, gets what a refresh brought`()
    throws
  {
    let bench = Bench()
    bench.respond = { _ throws(HTTPError) in
      let stored = bench.store.session
      bench.store.session = nil
      bench.clock.onSleep = { _ in
        bench.store.session = stored
        bench.clock.onSleep = { _ in }
      }
      return FakeEndpoint.tokens("a2")
    }
    #expect(try bench.valid(3_000).accessToken == "a2")
    #expect(bench.store.session?.accessToken == "a2")
  }
}

/// What the network never carried is known not to have happened.
@Suite struct UnsentRequestTests {
  private static let unsent: [HTTPError] = [
    .unreachable(reason: "x"), .refusedURL(reason: "x"), .misconfigured(reason: "x"),
    .untrusted(reason: "x"),
  ]

  @Test(arguments: unsent)
  func `A request that was not sent leaves no mark`(error: HTTPError) throws {
    let bench = Bench()
    bench.respond = { _ throws(HTTPError) in throw error }
    #expect(try bench.valid(3_000).accessToken == "a1")
    #expect(bench.store.session?.refreshingSince == nil)
    #expect(bench.store.session?.refreshingBy == nil)
  }

  @Test(arguments: [HTTPError.timedOut(reason: "x"), .broken(reason: "x"), .tooLarge(reason: "x")])
  func `A response that was lost leaves the mark, and keeps nobody waiting`(
    error: HTTPError
  ) throws {
    let bench = Bench()
    bench.respond = { _ throws(HTTPError) in throw error }
    #expect(try bench.valid(3_000).accessToken == "a1")
    #expect(bench.store.session?.refreshingSince == bench.clock.now)
    #expect(bench.store.session?.refreshingBy == nil)
  }

  @Test func `Seventy-five seconds without a network cost two seconds at most afterwards`() throws {
    let bench = Bench()
    bench.clock.now += 700
    bench.respond = { _ throws(HTTPError) in throw .unreachable(reason: "no route") }
    for _ in 0..<75 {
      _ = bench.failure()
      bench.clock.uptimeMilliseconds += 1_000
    }
    bench.respond = { _ throws(HTTPError) in FakeEndpoint.tokens("a2") }
    bench.clock.uptimeMilliseconds += 2_000
    #expect(try bench.valid().accessToken == "a2")
  }
}
