import Credentials
import HTTP
import Secrets
import SessionFakes
import Testing

@testable import Sessions

/// When a session ends for want of a refresh, and from when on a person is told.
@Suite struct SessionExpiryTests {
  private let now: Int64 = 1_000_000
  private let day: Int64 = 86_400

  private func session(
    _ method: StoredSession.Method, expiresIn seconds: Int64?, renewable: Bool = false
  ) -> StoredSession {
    var session = StoredSession(
      deployment: deployment, account: "alice", method: method, accessToken: "a")
    session.expiresAt = seconds.map { now + $0 }
    session.refreshToken = renewable ? "r" : nil
    return session
  }

  @Test func `A refresh token lasts a week longer than its access token`() {
    #expect(session(.oauth, expiresIn: 60, renewable: true).endsAt == now + 60 + 7 * day)
    #expect(session(.oauth, expiresIn: 60).endsAt == now + 60)
    #expect(session(.oauth, expiresIn: nil, renewable: true).endsAt == nil)
    #expect(session(.oauth, expiresIn: .max - now, renewable: true).endsAt == nil)
  }

  @Test func `A person is told in the last two days, and not after the end`() {
    for (left, isTold) in [(2 * day + 1, false), (2 * day, true), (1, true), (0, false)] {
      #expect(session(.token, expiresIn: left).endsSoon(now: now) == isTold, "\(left)")
    }
    #expect(session(.oauth, expiresIn: -5 * day, renewable: true).endsSoon(now: now))
    #expect(!session(.oauth, expiresIn: -4 * day, renewable: true).endsSoon(now: now))
    #expect(!session(.oauth, expiresIn: -8 * day, renewable: true).endsSoon(now: now))
    #expect(!session(.basic, expiresIn: day).endsSoon(now: now))
    #expect(!session(.token, expiresIn: nil).endsSoon(now: now))
  }

  @Test func `A pasted token ends when the deployment says, and is asked about at half its life`() {
    for (life, left, isAsked, isTold) in [
      (7 * day, 4 * day, false, false), (7 * day, 3 * day, true, false),
      (7 * day, 7 * day / 4 + 1, true, false), (7 * day, 7 * day / 4, true, true),
      (day, day, false, false), (day, day / 2 - 1, true, false), (day, day / 4, true, true),
      (30 * day, 2 * day, true, true), (nil, 2 * day, false, true), (nil, 2 * day - 1, true, true),
      (day, -1, true, false), (-1, day, false, false),
    ] as [(Int64?, Int64, Bool, Bool)] {
      var pasted = session(.token, expiresIn: nil)
      pasted.keptUntil = now + left
      pasted.keptSeconds = life
      let comment: Comment = "\(life ?? 0) \(left)"
      #expect(pasted.mayBeKeptLonger(now: now) == isAsked, comment)
      #expect(pasted.endsSoon(now: now) == isTold, comment)
      // Use may have prolonged it: only the deployment's refusal is an end.
      #expect(pasted.isFresh(now: now + 30 * day, minimumSeconds: 60), comment)
    }
    #expect(!session(.token, expiresIn: nil).mayBeKeptLonger(now: now))
  }

  @Test func `What the deployment says is kept, unless the session was changed meanwhile`() throws {
    for isChanged in [false, true] {
      let bench = Bench()
      var pasted = session(.token, expiresIn: nil)
      pasted.accessToken = "0123456789-abcdefghijklmnopqrstuv"
      pasted.keptUntil = now + 100
      bench.store.session = pasted
      bench.respond = { _ in
        if isChanged { bench.store.session?.accessToken = "another" }
        return HTTPResponse(
          status: 200, headers: [HTTPField("Content-Type", "application/json")],
          body: Array(#"{"expires_at":"2001-09-09T01:46:40Z"}"#.utf8))
      }
      let prolonged = try bench.services.prolonged(pasted)
      #expect(prolonged.keptUntil == (isChanged ? now + 100 : 1_000_000_000))
      #expect(bench.store.session?.keptUntil == prolonged.keptUntil)
    }
  }
}
