import Glibc

/// What became of a session's last refreshes: remembered from process to process, so that a
/// deployment in trouble is asked at growing intervals and not by every `get` anew.
///
/// Times are milliseconds since start-up, suspension included, so that nobody's setting the clock
/// freezes anything; after a restart they lie in the future or far away, and count for nothing.
struct RefreshHistory: Equatable {
  /// The longest wait, in milliseconds, whatever the deployment asks for.
  static let longestWait: Int64 = 300_000
  /// How long one refresh serves everybody who says that a token was rejected, in milliseconds: git
  /// rejects tokens that it never tried.
  static let forcedInterval: Int64 = 30_000

  /// How many refreshes have failed in a row.
  private(set) var failures: Int64 = 0
  private(set) var failedAt: Int64 = 0
  private(set) var retryAt: Int64 = 0
  /// When a refresh was last forced on the deployment before its time; 0 for never.
  private(set) var forcedAt: Int64 = 0

  /// How long to leave the deployment alone, in milliseconds; nil when it may be asked.
  func wait(now: Int64) -> Int64? {
    guard failures > 0, failedAt <= now, now < retryAt, retryAt - failedAt <= Self.longestWait
    else { return nil }
    return retryAt - now
  }

  /// Milliseconds since the last failure; nil when there was none.
  func sinceFailure(now: Int64) -> Int64? {
    failures > 0 && failedAt <= now ? now - failedAt : nil
  }

  /// Whether a refresh was forced a moment ago.
  func wasForced(now: Int64) -> Bool {
    forcedAt > 0 && forcedAt <= now && now - forcedAt < Self.forcedInterval
  }

  /// Notes a refresh that brought a token.
  mutating func succeed(now: Int64, isForced: Bool) {
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
  mutating func fail(now: Int64, took: Int64, retryAfter: Int64?, jitter: Double) {
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

/// The file it is kept in, beside the lock and written under it.
extension RefreshHistory {
  private static let version: Int64 = 1
  private static let maximumBytes = 256

  init(forcedAt: Int64) {
    self.forcedAt = forcedAt
  }

  /// Reads a file; whatever is not a history counts as an empty one.
  init(readingFrom path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(),
      status.st_mode & S_IFMT == S_IFREG
    else { return }
    var bytes = [UInt8](repeating: 0, count: Self.maximumBytes)
    let count = read(descriptor, &bytes, bytes.count)
    guard count > 0, count < bytes.count, bytes[count - 1] == UInt8(ascii: "\n") else { return }
    let words = bytes[..<(count - 1)].split(
      separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    let numbers = words.compactMap { Int64(String(decoding: $0, as: UTF8.self)) }
    let bounds = 0...(Int64.max / 4)
    guard words.count == 5, numbers.count == 5, numbers.allSatisfy(bounds.contains),
      numbers[0] == Self.version
    else { return }
    (failures, failedAt, retryAt, forcedAt) = (numbers[1], numbers[2], numbers[3], numbers[4])
  }

  /// Replaces the file in one step. What cannot be remembered is only a loss of patience.
  func write(to path: String) {
    let draft = "\(path).\(getpid())"
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
    let descriptor = open(draft, flags, 0o600)
    guard descriptor >= 0 else { return }
    let line = "\(Self.version) \(failures) \(failedAt) \(retryAt) \(forcedAt)\n"
    let isWritten = line.utf8.withContiguousStorageIfAvailable {
      Glibc.write(descriptor, $0.baseAddress, $0.count) == $0.count
    }
    close(descriptor)
    if isWritten != true || rename(draft, path) != 0 { unlink(draft) }
  }
}
