package import Credentials
import Glibc

/// One refresh, or other change, of a session at a time, among all processes of one user.
///
/// Held only around the exchange with the server, never while a person is thinking.
package protocol SessionLock {
  /// Runs `body` while holding the lock, or uses what its former holder has left.
  ///
  /// Those who find the lock held wait until it is free, all at once and not one by one, and then
  /// look at `existing`: a hundred waiters need one refresh and no queue.
  ///
  /// - Parameters:
  ///   - session: whose lock it is.
  ///   - timeoutMilliseconds: how long to wait for others.
  ///   - existing: what makes holding the lock unnecessary; nil when there is nothing.
  ///   - body: what must not happen twice at once; it learns whom the lock excludes.
  /// - Returns: what either gave.
  /// - Throws: what they throw; ``SessionError/busy(holder:waitedSeconds:)`` when others keep the
  ///   lock for longer than the timeout; ``SessionError/lockUnusable(path:reason:)``.
  func withLock<Value>(
    of session: SessionIdentity, timeoutMilliseconds: Int,
    orUse existing: () throws(SessionError) -> Value?,
    _ body: (HeldLock) throws(SessionError) -> Value
  ) throws(SessionError) -> Value
}

/// A lock that is held, and whom it excludes.
package struct HeldLock: Sendable {
  /// Whether it excludes everybody who reaches the same keyring, rather than only those who share a
  /// runtime directory.
  package let coversKeyring: Bool
  /// The open file that is locked: a child that inherits it holds the lock as well. Nil where the
  /// lock is no file.
  package let descriptor: Int32?

  /// Describes a lock that is held.
  package init(coversKeyring: Bool, descriptor: Int32? = nil) {
    self.coversKeyring = coversKeyring
    self.descriptor = descriptor
  }
}

extension SessionLock {
  /// How long to wait for another process unless somebody says otherwise, in milliseconds.
  package static var usualTimeoutMilliseconds: Int { 30_000 }

  /// Runs `body` while holding the lock, as soon as nobody else does.
  package func withLock<Value>(
    of session: SessionIdentity, _ body: () throws(SessionError) -> Value
  ) throws(SessionError) -> Value {
    try withLock(
      of: session, timeoutMilliseconds: Self.usualTimeoutMilliseconds,
      orUse: { () throws(SessionError) in nil }, { _ throws(SessionError) in try body() })
  }
}

extension SessionLock {
  /// Runs `body` while nobody else replaces the registration at a deployment, or deletes it.
  ///
  /// Who keeps the first session of a new registration, and who deletes one that nobody uses, must
  /// not come between each other. Taken after the lock of a session, never before it.
  ///
  /// - Parameters:
  ///   - deployment: whose registration.
  ///   - timeoutMilliseconds: how long to wait for others.
  ///   - body: what must not happen twice at once; it learns whom the lock excludes.
  /// - Returns: what `body` gave.
  /// - Throws: what `body` throws; as ``withLock(of:timeoutMilliseconds:orUse:_:)``.
  package func withRegistrationLock<Value>(
    at deployment: Deployment, timeoutMilliseconds: Int = usualTimeoutMilliseconds,
    _ body: (HeldLock) throws(SessionError) -> Value
  ) throws(SessionError) -> Value {
    try withLock(
      of: .registration(at: deployment), timeoutMilliseconds: timeoutMilliseconds,
      orUse: { () throws(SessionError) in nil }, body)
  }
}

extension SessionIdentity {
  /// What the lock of a deployment's registration is taken of: no account has such a name.
  package static func registration(at deployment: Deployment) -> SessionIdentity {
    SessionIdentity(deployment: deployment, account: registrationAccount)
  }

  private static let registrationAccount = "\nregistration"

  /// What names the files about a session, before it is hashed.
  var lockName: String { "\(deployment.url)\n\(account)" }

  /// How the name of its lock's file ends.
  fileprivate var lockSuffix: String {
    account == Self.registrationAccount ? "registration-lock" : "lock"
  }
}

/// Locks that are `flock(2)` on files that are never deleted, so that a holder that dies leaves
/// nothing to clean up. A file holds its holder's process id, for those who wait in vain.
package struct FileLock: SessionLock {
  private let directory: RuntimeDirectory

  /// Keeps the files in a directory.
  package init(directory: RuntimeDirectory) {
    self.directory = directory
  }

  package func withLock<Value>(
    of session: SessionIdentity, timeoutMilliseconds: Int,
    orUse existing: () throws(SessionError) -> Value?,
    _ body: (HeldLock) throws(SessionError) -> Value
  ) throws(SessionError) -> Value {
    let file = try directory.file(about: session.lockName, suffix: session.lockSuffix)
    var descriptor = try file.open()
    defer { close(descriptor) }
    let deadline = Self.uptimeMilliseconds + timeoutMilliseconds
    // A hundred processes that poll every few milliseconds keep the holder from its work, so the
    // intervals grow.
    var interval: UInt32 = 2_000
    while true {
      while try !lock(descriptor, LOCK_EX, file) {
        while try !lock(descriptor, LOCK_SH, file) {
          guard Self.uptimeMilliseconds < deadline else {
            throw .busy(
              holder: Self.holder(descriptor), waitedSeconds: timeoutMilliseconds / 1000)
          }
          usleep(UInt32.random(in: interval...(2 * interval)))
          interval = min(interval * 3 / 2, 20_000)
        }
        flock(descriptor, LOCK_UN)
        if let value = try existing() { return value }
        // Whoever finds nothing wants the exclusive lock next. Random pauses keep the shared locks
        // of many from blocking it.
        usleep(UInt32.random(in: 0...4_000))
      }
      if file.isStill(descriptor) { break }
      close(descriptor)
      descriptor = -1
      descriptor = try file.open()
    }
    Self.sign(descriptor)
    return try body(HeldLock(coversKeyring: false, descriptor: descriptor))
  }

  private func lock(
    _ descriptor: Int32, _ kind: Int32, _ file: RuntimeFile
  ) throws(SessionError) -> Bool {
    if flock(descriptor, kind | LOCK_NB) == 0 { return true }
    guard errno == EWOULDBLOCK || errno == EINTR else {
      throw file.unusable(String(cString: strerror(errno)))
    }
    return false
  }

  /// Writes who holds the lock. On a full disk nobody's id is there, and the lock holds all the
  /// same.
  fileprivate static func sign(_ descriptor: Int32) {
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

  private static var uptimeMilliseconds: Int { Int(SystemClock().uptimeMilliseconds) }
}

/// A file lock that the process was started with: whoever started it took the lock, and handed the
/// open file over.
package struct InheritedLock: SessionLock {
  private let descriptor: Int32

  /// Takes the lock over, and names this process as its holder.
  package init(descriptor: Int32) {
    self.descriptor = descriptor
    FileLock.sign(descriptor)
  }

  package func withLock<Value>(
    of session: SessionIdentity, timeoutMilliseconds: Int,
    orUse existing: () throws(SessionError) -> Value?,
    _ body: (HeldLock) throws(SessionError) -> Value
  ) throws(SessionError) -> Value {
    try body(HeldLock(coversKeyring: false, descriptor: descriptor))
  }
}
