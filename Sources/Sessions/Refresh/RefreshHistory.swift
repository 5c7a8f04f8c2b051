package import Secrets

/// What became of a session's last refreshes: remembered from process to process, so that a
/// deployment in trouble is asked with exponential backoff and jitter by all processes together.
///
/// Times are milliseconds since start-up, suspension included, so that setting the wall clock
/// changes nothing. After a restart they lie in the future or far in the past, and are ignored.
package struct RefreshHistory: Equatable, Sendable {
  /// The longest wait that failures lead to, in milliseconds.
  package static let longestWait: Int64 = 300_000
  /// The longest wait that a deployment can ask for, in milliseconds.
  package static let longestAskedWait: Int64 = 3_600_000
  /// The longest wait after a request that never left this machine, in milliseconds: once the
  /// network is back, nobody should notice that it was away.
  static let longestUnsentWait: Int64 = 2_000
  /// How long one refresh serves everybody who says that a token was rejected, in milliseconds: git
  /// rejects tokens that it never tried.
  package static let forcedInterval: Int64 = 30_000

  /// How many refreshes have failed in a row.
  package private(set) var failures: Int64 = 0
  package private(set) var failedAt: Int64 = 0
  package private(set) var retryAt: Int64 = 0
  /// When a refresh was last forced on the deployment before its time; 0 for never.
  package private(set) var forcedAt: Int64 = 0
  /// Which access token that refresh brought (``identifier(of:)``).
  package private(set) var forcedToken: Int64 = 0
  /// When the deployment's metadata was last read anew; 0 for never.
  package private(set) var rediscoveredAt: Int64 = 0
  /// How many refreshes since the last that brought a token the deployment has refused without saying
  /// that the session is over.
  package private(set) var refusals: Int64 = 0

  /// Nothing has happened yet.
  package init() {}

  init(
    failures: Int64 = 0, failedAt: Int64 = 0, retryAt: Int64 = 0, forcedAt: Int64 = 0,
    forcedToken: Int64 = 0, rediscoveredAt: Int64 = 0, refusals: Int64 = 0
  ) {
    self.failures = failures
    self.failedAt = failedAt
    self.retryAt = retryAt
    self.forcedAt = forcedAt
    self.forcedToken = forcedToken
    self.rediscoveredAt = rediscoveredAt
    self.refusals = refusals
  }

  /// How long to leave the deployment alone, in milliseconds; nil when it may be asked.
  package func wait(now: Int64) -> Int64? {
    guard failedAt > 0, failedAt <= now, now < retryAt,
      retryAt - failedAt <= Self.longestAskedWait
    else { return nil }
    return retryAt - now
  }

  /// Milliseconds since the last failure; nil when there was none.
  package func sinceFailure(now: Int64) -> Int64? {
    failedAt > 0 && failedAt <= now ? now - failedAt : nil
  }

  /// Whether a refresh was forced a moment ago, and brought this very token.
  package func wasForced(for token: Secret, now: Int64) -> Bool {
    forcedAt > 0 && forcedAt <= now && now - forcedAt < Self.forcedInterval
      && forcedToken == Self.identifier(of: token)
  }

  /// Whether the deployment's metadata may be read anew: once in ten minutes at most.
  package func mayRediscover(now: Int64) -> Bool {
    rediscoveredAt == 0 || rediscoveredAt > now || now - rediscoveredAt >= 600_000
  }

  /// Notes that the deployment's metadata is read anew.
  package mutating func rediscover(now: Int64) { rediscoveredAt = max(1, now) }

  /// Notes a refresh that brought a token.
  package mutating func succeed(now: Int64, token: Secret, isForced: Bool) {
    self = RefreshHistory(
      forcedAt: isForced ? now : forcedAt,
      forcedToken: isForced ? Self.identifier(of: token) : forcedToken,
      rediscoveredAt: rediscoveredAt)
  }

  /// Notes that the deployment has decided: no wait is left from before.
  package mutating func settle() {
    self = RefreshHistory(
      forcedAt: forcedAt, forcedToken: forcedToken, rediscoveredAt: rediscoveredAt)
  }

  /// A number that stands for a token and tells nothing of it: 60 bits of its SHA-256.
  static func identifier(of token: Secret) -> Int64 {
    Int64(SHA256.digest(token)[..<8].reduce(0 as UInt64) { $0 << 8 | UInt64($1) } >> 4)
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
  ///   - wasSent: whether the deployment may have seen the request at all. If not, nothing is
  ///     learned about it: the wait only spares the caller another timeout.
  ///   - isRefusal: whether the deployment refused, rather than being in trouble.
  package mutating func fail(
    now: Int64, took: Int64, retryAfter: Int64?, jitter: Double, wasSent: Bool = true,
    isRefusal: Bool = false
  ) {
    if isRefusal { refusals = min(refusals + 1, 1_000) }
    guard wasSent else {
      if let wait = wait(now: now), wait > Self.longestUnsentWait { return }
      let isRepeated = sinceFailure(now: now).map { $0 < 60_000 } ?? false
      failedAt = now
      retryAt = now + (isRepeated || took >= 1_000 ? Self.longestUnsentWait : 0)
      return
    }
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
    wait = min(wait + Int64(Double(wait) * 0.25 * min(max(jitter, 0), 1)), Self.longestWait)
    // RFC 9110 §10.2.3: "how long the service is expected to be unavailable to the client".
    if let retryAfter {
      wait = max(wait, min(max(retryAfter, 0), Self.longestAskedWait / 1000) * 1000)
    }
    failedAt = now
    retryAt = now + wait
  }
}
