import Basics
import Credentials
import Glibc

/// One refresh at a time for one session, among all processes of one user.
///
/// A `flock(2)` on a file that is never deleted, so that a holder that dies leaves nothing to clean
/// up. The file tells its holder's process, for those who wait in vain. Held only around the
/// exchange with the server, never while a person is thinking.
struct RefreshLock {
  /// How long to wait for another process, in milliseconds.
  static let patience = 30_000

  let file: RuntimeFile
  /// Where the session's ``RefreshHistory`` is kept.
  let historyPath: String

  /// The lock of a session, in the runtime directory.
  init(
    of deployment: Deployment, account: String, environment: Environment
  ) throws(Failure) {
    let name = "\(deployment.url)\n\(account)"
    file = try RuntimeFile(about: name, ending: "lock", environment)
    historyPath = try RuntimeFile(about: name, ending: "history", environment).path
  }

  /// Runs `body` while holding the lock, as soon as nobody else does.
  ///
  /// - Throws: what `body` throws; a failure to retry later when others keep the lock longer than
  ///   ``patience``.
  func hold<Value>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    try hold(orTake: { () throws(Failure) in nil }, body)
  }

  /// Runs `body` while holding the lock, or takes what its former holder has left.
  ///
  /// Those who find the lock held wait until it is free, all at once and not one by one, and then
  /// look at `result`: a hundred waiters need one refresh and no queue.
  ///
  /// - Parameters:
  ///   - milliseconds: how long to wait for others.
  ///   - result: what makes holding the lock unnecessary, if it is there.
  ///   - body: what must not happen twice at once.
  /// - Returns: what either gave.
  /// - Throws: as ``hold(_:)``.
  func hold<Value>(
    within milliseconds: Int = patience, orTake result: () throws(Failure) -> Value?,
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let descriptor = try file.open()
    defer { close(descriptor) }
    let deadline = MonotonicClock.milliseconds + milliseconds
    // A hundred that look every few milliseconds keep the one from its work.
    var nap: UInt32 = 2_000
    while try !lock(descriptor, LOCK_EX) {
      while try !lock(descriptor, LOCK_SH) {
        guard MonotonicClock.milliseconds < deadline else {
          throw Self.busy(holder: Self.holder(descriptor), milliseconds)
        }
        usleep(UInt32.random(in: nap...(2 * nap)))
        nap = min(nap * 3 / 2, 20_000)
      }
      flock(descriptor, LOCK_UN)
      if let value = try result() { return value }
      // Between a shared and an exclusive lock lies a moment that each spends differently.
      usleep(UInt32.random(in: 0...4_000))
    }
    Self.sign(descriptor)
    return try body()
  }

  private func lock(_ descriptor: Int32, _ kind: Int32) throws(Failure) -> Bool {
    if flock(descriptor, kind | LOCK_NB) == 0 { return true }
    guard errno == EWOULDBLOCK || errno == EINTR else {
      throw file.unusable(SystemError.last)
    }
    return false
  }

  /// Writes who holds the lock; on a full disk nobody does, and the lock is as good.
  private static func sign(_ descriptor: Int32) {
    let line = Array("\(getpid())\n".utf8)
    if ftruncate(descriptor, 0) == 0 { pwrite(descriptor, line, line.count, 0) }
  }

  private static func holder(_ descriptor: Int32) -> Int32? {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    let line = bytes[..<max(0, count)]
    guard line.last == UInt8(ascii: "\n") else { return nil }
    return Int32(String(decoding: line.dropLast(), as: UTF8.self)).flatMap { $0 > 0 ? $0 : nil }
  }

  private static func busy(holder: Int32?, _ milliseconds: Int) -> Failure {
    let who = holder.map { "process \($0)" } ?? "another process"
    return Failure(
      .retryLater, "\(who) has been refreshing this session for \(milliseconds / 1000) s",
      hint: holder.map { "if it hangs, end it: kill -9 \($0)" })
  }
}
