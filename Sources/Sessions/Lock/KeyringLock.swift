import Secrets

/// Names on the bus of the keyring: a name has one owner, whatever runtime directory, container or
/// mount namespace a process has, and loses it when the process ends.
package protocol BusNames {
  /// Asks for a name once, and does not queue for it.
  func claim(_ name: String) throws(StoreError) -> BusNameClaim
  /// Gives a name back.
  func release(_ name: String)
}

/// What came of asking for a name.
package enum BusNameClaim: Equatable, Sendable {
  /// It is ours.
  case owned
  /// Another process owns it.
  case taken(by: Int32?)
  /// The bus does not let us own it, as behind a proxy that lets only some names through.
  case refused
}

/// A lock with the scope of the keyring: a lock among those who share a runtime directory, which
/// keeps crowds cheap, and a name on the keyring's bus on top of it.
///
/// Where the bus refuses the name, only the inner lock is held, and says so
/// (``HeldLock/coversKeyring``).
package struct KeyringLock: SessionLock {
  private let inner: any SessionLock
  private let names: any BusNames
  private let clock: any SessionClock
  private let random: () -> UInt64

  /// Puts names on top of a lock.
  package init(
    inner: any SessionLock, names: any BusNames, clock: any SessionClock,
    random: @escaping () -> UInt64 = { .random(in: 0...UInt64.max) }
  ) {
    self.inner = inner
    self.names = names
    self.clock = clock
    self.random = random
  }

  package func withLock<Value>(
    of session: SessionIdentity, timeoutMilliseconds: Int,
    orUse existing: () throws(SessionError) -> Value?,
    _ body: (HeldLock) throws(SessionError) -> Value
  ) throws(SessionError) -> Value {
    let deadline = clock.uptimeMilliseconds + Int64(timeoutMilliseconds)
    let name = session.busName
    return try inner.withLock(
      of: session, timeoutMilliseconds: timeoutMilliseconds, orUse: existing
    ) { held throws(SessionError) in
      while true {
        switch try claim(name) {
        case .refused: return try body(held)
        case .owned:
          defer { names.release(name) }
          return try body(HeldLock(coversKeyring: true, descriptor: held.descriptor))
        case .taken(let holder):
          guard clock.uptimeMilliseconds < deadline else {
            throw .busy(holder: holder, waitedSeconds: timeoutMilliseconds / 1000)
          }
          clock.sleep(milliseconds: 20 + Int(random() % 40))
        }
      }
    }
  }

  private func claim(_ name: String) throws(SessionError) -> BusNameClaim {
    do throws(StoreError) { return try names.claim(name) } catch { throw .store(error) }
  }
}

extension SessionIdentity {
  /// The name that stands for this session's lock; it does not reveal the session.
  fileprivate var busName: String {
    // DBus specification, "Bus names": elements "must not begin with a digit".
    "io.github.coder_cred.Refresh.s\(SHA256.hexadecimal(lockName))"
  }
}
