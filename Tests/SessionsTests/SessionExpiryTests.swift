import Credentials
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
}
