package import Credentials

/// The mark in a stored session that somebody is exchanging its refresh token, or was when they
/// died: from then on neither of its tokens can be trusted.
///
/// Who holds a lock of the keyring's scope writes a mark that only says so. Where there is no such
/// lock the mark is a lease: others wait for as long as it lasts.
package enum RefreshMark {
  /// How long a mark keeps others away who cannot tell whether its owner still lives, in seconds:
  /// longer than an exchange may take.
  static let leaseSeconds: Int64 = 40
  /// How long to wait for a session that is marked, in milliseconds: a little longer than the mark
  /// lasts of somebody who died.
  package static let timeoutMilliseconds = 45_000
  /// How long somebody waits after writing a mark before they look whether it is still theirs, in
  /// milliseconds.
  ///
  /// No keyring compares while it writes: of several that mark at once the last one stays, and every
  /// other one finds that out. Who holds the keyring's lock can only have been overtaken by a lease
  /// that was decided on before, and looks soon; whoever has a lease looks after everybody else.
  ///
  /// - Parameters:
  ///   - lock: the lock that is held.
  ///   - number: one that was chosen at random.
  /// - Returns: how long to wait.
  package static func settlingMilliseconds(holding lock: HeldLock, number: UInt64) -> Int {
    lock.coversKeyring ? 30 : 300 + Int(number % 100)
  }

  private static let lockPrefix = "lock-"

  /// A word for the owner of a mark that outlives the lock that it was written under.
  package static func leaseOwner(number: UInt64) -> String {
    owner(holding: HeldLock(coversKeyring: false), number: number)
  }

  /// A word for a new mark's owner that no other process uses.
  ///
  /// - Parameters:
  ///   - lock: the lock that is held.
  ///   - number: one that was chosen at random.
  /// - Returns: the word.
  static func owner(holding lock: HeldLock, number: UInt64) -> String {
    "\(lock.coversKeyring ? lockPrefix : "lease-")\(String(number, radix: 16))"
  }

  /// Whether the owner lives no more if somebody else holds the keyring's lock.
  static func endsWithLock(_ owner: String) -> Bool { owner.hasPrefix(lockPrefix) }
}

extension StoredSession {
  /// The session with a mark.
  package func marked(by owner: String?, since now: Int64) -> StoredSession {
    var marked = self
    marked.refreshingSince = now
    marked.refreshingBy = owner
    return marked
  }

  /// Whether somebody besides `owner` may be exchanging the refresh token at the Unix time `now`,
  /// for all that the holder of a lock can know.
  ///
  /// A mark from the future is one, too: clocks are set. Who waits for it must have a timeout.
  func isBeingRefreshed(besides owner: String? = nil, holding lock: HeldLock, now: Int64) -> Bool {
    guard let since = refreshingSince, let by = refreshingBy, by != owner else { return false }
    if lock.coversKeyring, RefreshMark.endsWithLock(by) { return false }
    let (age, overflow) = now.subtractingReportingOverflow(since)
    return overflow ? since > now : age < RefreshMark.leaseSeconds
  }
}
