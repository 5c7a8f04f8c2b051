import Credentials
import HTTP
import OAuth
import SecretService
import Secrets
import SessionFakes
import Sessions
import Testing

/// One row a ground, in the order in which the decision takes them, each with its neighbours.
@Suite struct RefreshDecisionTests {
  private static let now: Int64 = 1_000_000
  private static let uptime: Int64 = 50_000_000

  /// A token of an hour that came from a refresh ten minutes ago, unless `change` says otherwise.
  private func session(_ change: (inout StoredSession) -> Void = { _ in }) -> StoredSession {
    var session = StoredSession(
      deployment: deployment, account: "alice", method: .oauth, accessToken: "a1")
    session.refreshToken = "r1"
    session.signedInAt = Self.now - 86_400
    session.issuedAt = Self.now - 600
    session.expiresAt = Self.now + 3_000
    change(&session)
    return session
  }

  private func situation(
    _ reason: RefreshReason, _ session: StoredSession, isSeen: Bool = true,
    mayRefresh: Bool = true, _ history: RefreshHistory = RefreshHistory()
  ) -> RefreshSituation {
    RefreshSituation(
      session: session, seenToken: isSeen ? session.accessToken : "a0", reason: reason,
      mayRefresh: mayRefresh, history: history, now: Self.now, uptimeMilliseconds: Self.uptime)
  }

  private func decision(
    _ reason: RefreshReason, isSeen: Bool = true, mayRefresh: Bool = true,
    _ history: RefreshHistory = RefreshHistory(),
    _ change: (inout StoredSession) -> Void = { _ in }
  ) -> RefreshDecision {
    situation(reason, session(change), isSeen: isSeen, mayRefresh: mayRefresh, history).decision
  }

  private let age = RefreshReason.age(minimumSeconds: 60)

  /// A history of failures, of which the last was `ago` milliseconds ago.
  private func failed(_ times: Int, ago: Int64 = 0) -> RefreshHistory {
    var history = RefreshHistory()
    for _ in 0..<times {
      history.fail(now: Self.uptime - ago, took: 0, retryAfter: nil, jitter: 0)
    }
    return history
  }

  private func forced(ago: Int64) -> RefreshHistory {
    var history = RefreshHistory()
    history.succeed(now: Self.uptime - ago, token: "a1", isForced: true)
    return history
  }

  @Test func `Fresh is what lives as long as asked for, to the second`() {
    #expect(decision(age) { $0.expiresAt = Self.now + 60 } == .use(.fresh))
    #expect(decision(age) { $0.expiresAt = Self.now + 59 } == .refresh)
    #expect(decision(age) { $0.expiresAt = nil } == .use(.fresh))
    #expect(decision(.age(minimumSeconds: 0)) { $0.expiresAt = Self.now + 1 } == .use(.fresh))
    #expect(decision(.age(minimumSeconds: 0)) { $0.expiresAt = Self.now } == .refresh)
  }

  @Test func `Fresh is nothing that was rejected, is being refreshed, or is from the future`() {
    #expect(decision(age) { $0.staleSince = Self.now } == .refresh)
    #expect(decision(age) { $0.refreshingSince = Self.now - 3_000 } == .refresh)
    #expect(decision(age) { $0.issuedAt = Self.now + 300 } == .use(.fresh))
    #expect(decision(age) { $0.issuedAt = Self.now + 301 } == .refresh)
  }

  @Test func `Only a demand on age is met by freshness`() {
    for reason in [RefreshReason.rejection, .schedule, .command] {
      #expect(decision(reason) == .refresh, "\(reason)")
    }
  }

  @Test func `A refreshed token that cannot live as long as asked for is kept for 30 seconds`() {
    let greedy = RefreshReason.age(minimumSeconds: 7_200)
    #expect(decision(greedy) { $0.issuedAt = Self.now - 29 } == .use(.asFreshAsPossible))
    #expect(decision(greedy) { $0.issuedAt = Self.now - 30 } == .refresh)
    // Half its life, where that is shorter.
    for (age, expected) in [
      (9, RefreshDecision.use(.asFreshAsPossible)), (10, .refresh),
    ] as [(Int64, RefreshDecision)] {
      let decision = decision(greedy) {
        $0.issuedAt = Self.now - age
        $0.expiresAt = Self.now - age + 20
      }
      #expect(decision == expected, "\(age) s")
    }
  }

  @Test func `What did not come from a refresh, or may be dying, is not as fresh as possible`() {
    let greedy = RefreshReason.age(minimumSeconds: 7_200)
    let changes: [(inout StoredSession) -> Void] = [
      { $0.signedInAt = $0.issuedAt }, { $0.staleSince = Self.now },
      { $0.refreshingSince = Self.now }, { $0.expiresAt = Self.now },
      { $0.issuedAt = Self.now + 1 }, { $0.issuedAt = nil },
    ]
    for (index, change) in changes.enumerated() {
      let decision = decision(greedy) {
        $0.issuedAt = Self.now
        change(&$0)
      }
      #expect(decision == .refresh, "change \(index)")
    }
  }

  @Test func `Another process's token serves everybody, as long as it lives`() {
    for reason in [RefreshReason.age(minimumSeconds: 7_200), .rejection, .schedule, .command] {
      #expect(decision(reason, isSeen: false) == .use(.refreshedByAnother), "\(reason)")
      #expect(decision(reason) == .refresh, "\(reason)")
      #expect(
        decision(reason, isSeen: false) { $0.expiresAt = Self.now } == .refresh, "\(reason)")
    }
  }

  @Test func `What cannot be refreshed serves whoever asks about its age, and has ended else`() {
    let changes: [(inout StoredSession) -> Void] = [
      { $0.refreshToken = nil }, { $0.method = .token }, { $0.method = .basic },
    ]
    for change in changes {
      #expect(decision(.age(minimumSeconds: 7_200), RefreshHistory(), change) == .use(.stillValid))
      #expect(
        decision(.age(minimumSeconds: 7_200)) {
          change(&$0)
          $0.expiresAt = Self.now
        } == .ended)
      for reason in [RefreshReason.rejection, .schedule, .command] {
        #expect(decision(reason, RefreshHistory(), change) == .ended, "\(reason)")
      }
    }
  }

  @Test func `Whoever forbids a refresh gets what lives, and is told of what does not`() {
    let greedy = RefreshReason.age(minimumSeconds: 7_200)
    #expect(decision(greedy, mayRefresh: false) == .use(.stillValid))
    #expect(decision(greedy, mayRefresh: false) { $0.expiresAt = Self.now } == .forbidden)
    #expect(decision(age, mayRefresh: false) { $0.staleSince = Self.now } == .forbidden)
    // What has ended has ended, whoever forbids what.
    #expect(
      decision(greedy, mayRefresh: false) {
        $0.refreshToken = nil
        $0.expiresAt = Self.now
      } == .ended)
  }

  @Test func `One forced refresh serves everybody who reports a rejection for half a minute`() {
    #expect(decision(.rejection, forced(ago: 0)) == .use(.forcedMomentsAgo))
    #expect(decision(.rejection, forced(ago: 29_999)) == .use(.forcedMomentsAgo))
    #expect(decision(.rejection, forced(ago: 30_000)) == .refresh)
    #expect(decision(.rejection, forced(ago: 0)) { $0.expiresAt = Self.now } == .refresh)
    #expect(decision(.command, forced(ago: 0)) == .refresh)
    #expect(decision(.age(minimumSeconds: 7_200), forced(ago: 0)) == .refresh)
  }

  @Test func `A deployment in trouble is left alone, but for a person's command`() {
    let greedy = RefreshReason.age(minimumSeconds: 7_200)
    for reason in [greedy, .rejection, .schedule] {
      #expect(decision(reason, failed(3)) == .use(.stillValid), "\(reason)")
      #expect(
        decision(reason, failed(3)) { $0.expiresAt = Self.now }
          == .wait(failedSecondsAgo: 0, nextTrySeconds: 2), "\(reason)")
      #expect(decision(reason, failed(3, ago: 1_000)) == .refresh, "\(reason)")
      #expect(decision(reason, failed(1)) == .refresh, "\(reason)")
    }
    #expect(decision(.command, failed(3)) == .refresh)
    #expect(decision(.schedule, failed(9, ago: 31_000)) == .use(.stillValid))
    #expect(
      decision(.schedule, failed(9, ago: 31_000)) { $0.expiresAt = Self.now }
        == .wait(failedSecondsAgo: 31, nextTrySeconds: 34))
  }

  @Test func `What is marked is handed out only with a warning, and no throttle speaks for it`() {
    let greedy = RefreshReason.age(minimumSeconds: 7_200)
    // The caller of the decision warns before it hands out what lives by the clock.
    #expect(
      decision(greedy, failed(3)) { $0.refreshingSince = Self.now }
        == .wait(failedSecondsAgo: 0, nextTrySeconds: 2))
    #expect(decision(.rejection, forced(ago: 0)) { $0.refreshingSince = Self.now } == .refresh)
    #expect(decision(.command, isSeen: false) { $0.refreshingSince = Self.now } == .refresh)
  }

  @Test func `Only to a waiting tool is a live token handed out after a failed refresh`() {
    let busy = SessionError.busy(holder: nil, waitedSeconds: 10)
    for (reason, mayUse) in [
      (age, true), (.rejection, true), (.schedule, false), (.command, false),
    ] as [(RefreshReason, Bool)] {
      #expect(situation(reason, session()).mayUse(after: busy) == mayUse, "\(reason)")
    }
    #expect(!situation(age, session { $0.expiresAt = Self.now }).mayUse(after: busy))
    #expect(!situation(age, session { $0.staleSince = Self.now }).mayUse(after: busy))
  }

  @Test func `No failure that says that the token was ended lets it be handed out`() {
    let identity = session().identity
    let broken = MalformedInput.payload(reason: "x")
    let table: [(SessionError, Bool)] = [
      (.busy(holder: 1, waitedSeconds: 10), true),
      (.noRuntimeDirectory, true),
      (.lockUnusable(path: "x", reason: "x"), true),
      (.oauth(.transport(.timedOut(reason: "x")), at: deployment), true),
      (.leftAlone(identity, failedSecondsAgo: 1, nextTrySeconds: 1), true),
      (.store(.locked), true), (.store(.keyring(.timedOut)), true),
      (.store(.keyring(.failed(reason: "x"))), true),
      (.store(.unreadable(label: "x", broken)), false), (.store(.unwritable(broken)), false),
      (.changedMeanwhile(identity), false),
      (.signInNeeded(identity, .registrationGone), true),
      (.signInNeeded(identity, .ended), false), (.signInNeeded(identity, .refused), false),
      (.signInNeeded(identity, .refusedAfterInterruption), false),
      (.signInNeeded(identity, .removed), false),
    ]
    for (error, mayUse) in table {
      #expect(situation(age, session()).mayUse(after: error) == mayUse, "\(error)")
    }
  }
}
