/// What became of a session's last refreshes: remembered from process to process, so that a
/// deployment in trouble is asked with exponential backoff and jitter by all processes together.
///
/// Times are milliseconds since start-up, suspension included, so that setting the wall clock
/// changes nothing. After a restart they lie in the future or far in the past, and are ignored.
package struct RefreshHistory: Equatable, Sendable {
  /// The longest wait, in milliseconds, whatever the deployment asks for.
  package static let longestWait: Int64 = 300_000
  /// How long one refresh serves everybody who says that a token was rejected, in milliseconds: git
  /// rejects tokens that it never tried.
  package static let forcedInterval: Int64 = 30_000

  /// How many refreshes have failed in a row.
  package private(set) var failures: Int64 = 0
  package private(set) var failedAt: Int64 = 0
  package private(set) var retryAt: Int64 = 0
  /// When a refresh was last forced on the deployment before its time; 0 for never.
  package private(set) var forcedAt: Int64 = 0

  /// Nothing has happened yet.
  package init() {}

  init(failures: Int64 = 0, failedAt: Int64 = 0, retryAt: Int64 = 0, forcedAt: Int64) {
    self.failures = failures
    self.failedAt = failedAt
    self.retryAt = retryAt
    self.forcedAt = forcedAt
  }

  /// How long to leave the deployment alone, in milliseconds; nil when it may be asked.
  package func wait(now: Int64) -> Int64? {
    guard failures > 0, failedAt <= now, now < retryAt, retryAt - failedAt <= Self.longestWait
    else { return nil }
    return retryAt - now
  }

  /// Milliseconds since the last failure; nil when there was none.
  package func sinceFailure(now: Int64) -> Int64? {
    failures > 0 && failedAt <= now ? now - failedAt : nil
  }

  /// Whether a refresh was forced a moment ago.
  package func wasForced(now: Int64) -> Bool {
    forcedAt > 0 && forcedAt <= now && now - forcedAt < Self.forcedInterval
  }

  /// Notes a refresh that brought a token.
  package mutating func succeed(now: Int64, isForced: Bool) {
    self = RefreshHistory(forcedAt: isForced ? now : forcedAt)
  }

  /// Notes one that did not.
  ///
  /// The first failure may have been a hiccup and costs no wait, unless it took long. From then on
  /// waits double: 0.5 s, 1 s, 2 s …
  ///
  /// - Parameters:
  ///   - now: the time.
  ///   - took: how long the attempt took, in milliseconds.
  ///   - retryAfter: what the deployment asks for, in seconds.
  ///   - jitter: 0 to 1, so that machines that failed together do not come back together.
  package mutating func fail(now: Int64, took: Int64, retryAfter: Int64?, jitter: Double) {
    if sinceFailure(now: now).map({ $0 > 2 * Self.longestWait }) ?? true { failures = 0 }
    failures += 1
    let isSlow = took >= 2_000
    var wait: Int64
    if failures == 1 {
      wait = isSlow ? 2_000 : 0
    } else {
      wait = 500 << min(failures - 2, 20)
      if isSlow { wait = max(wait, took) }
    }
    wait += Int64(Double(wait) * 0.25 * min(max(jitter, 0), 1))
    // RFC 9110 §10.2.3: "how long the service is expected to be unavailable to the client".
    if let retryAfter { wait = max(wait, min(retryAfter, 3600) * 1_000) }
    failedAt = now
    retryAt = now + min(wait, Self.longestWait)
  }
}
