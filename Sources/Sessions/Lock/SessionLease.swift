package import Credentials

/// A session's lock together with the marks that stand for it where the lock does not exclude
/// everybody who reaches the keyring (``RefreshMark``).
extension SessionLock {
  /// Runs `body` while holding a session's lock, once no mark says that somebody whom the lock does
  /// not exclude is exchanging the session's tokens.
  ///
  /// - Parameters:
  ///   - session: whose lock it is.
  ///   - store: the keyring.
  ///   - clock: the time.
  ///   - owner: who has the marks that do not matter.
  ///   - timeoutMilliseconds: how long to wait for others; by default for as long as a mark of
  ///     somebody who died lasts.
  ///   - body: what must not happen at the same time; it learns whom the lock excludes, and what the
  ///     keyring holds.
  /// - Returns: what `body` gave.
  /// - Throws: what `body` throws; ``SessionError/busy(holder:waitedSeconds:)``;
  ///   ``SessionError/lockUnusable(path:reason:)``; ``SessionError/store(_:)``.
  package func withSession<Value>(
    _ session: SessionIdentity, in store: any SessionStore, clock: any SessionClock,
    besides owner: String? = nil, timeoutMilliseconds: Int = RefreshMark.timeoutMilliseconds,
    _ body: (HeldLock, StoredSession?) throws(SessionError) -> Value
  ) throws(SessionError) -> Value {
    let deadline = clock.uptimeMilliseconds + Int64(timeoutMilliseconds)
    return try withLock(
      of: session, timeoutMilliseconds: timeoutMilliseconds,
      orUse: { () throws(SessionError) in nil }
    ) { held throws(SessionError) in
      var pauseMilliseconds = 50
      while true {
        let stored: StoredSession?
        do throws(StoreError) { stored = try store.session(of: session) } catch {
          throw .store(error)
        }
        guard let stored,
          stored.isBeingRefreshed(besides: owner, holding: held, now: clock.now)
        else { return try body(held, stored) }
        guard clock.uptimeMilliseconds < deadline else {
          throw .busy(holder: nil, waitedSeconds: timeoutMilliseconds / 1000)
        }
        clock.sleep(milliseconds: pauseMilliseconds)
        pauseMilliseconds = min(2 * pauseMilliseconds, 1_000)
      }
    }
  }

  /// Notes in the keyring that the deployment rejects a session's access token, if the session still
  /// has it: an OAuth session is refreshed at its next use, and any other has ended.
  ///
  /// - Throws: ``SessionError/store(_:)``; what the lock throws.
  func noteRejection(
    of session: StoredSession, in store: any SessionStore, clock: any SessionClock
  ) throws(SessionError) {
    try withLock(
      of: session.identity, timeoutMilliseconds: Self.usualTimeoutMilliseconds,
      orUse: { () throws(SessionError) in nil }
    ) { held throws(SessionError) in
      do throws(StoreError) {
        guard var current = try store.session(like: session), current.staleSince == nil,
          current.accessToken == session.accessToken,
          // Who is replacing the token must not find another session than the one that was marked.
          !current.isBeingRefreshed(holding: held, now: clock.now)
        else { return }
        current.staleSince = clock.now
        try store.save(current)
      } catch {
        throw .store(error)
      }
    }
  }
}

extension SessionServices {
  /// Marks a session (``SessionStore/mark(_:as:holding:clock:number:)``).
  func mark(
    _ session: StoredSession, as marked: StoredSession, holding held: HeldLock
  ) throws(StoreError) -> Bool {
    try store.mark(session, as: marked, holding: held, clock: clock, number: random())
  }
}

extension SessionStore {
  /// Marks a session, and looks after a moment whether the mark is still there. That also proves
  /// that the keyring can be written, before anything is done that could not be kept.
  ///
  /// - Parameters:
  ///   - session: the session as it is stored.
  ///   - marked: the session with the mark.
  ///   - held: the lock that is held.
  ///   - clock: the time.
  ///   - number: one that was chosen at random.
  /// - Returns: whether it is marked; not, when another process has changed it.
  /// - Throws: ``StoreError``.
  func mark(
    _ session: StoredSession, as marked: StoredSession, holding held: HeldLock,
    clock: any SessionClock, number: UInt64
  ) throws(StoreError) -> Bool {
    guard try replace(session, with: marked) else { return false }
    clock.sleep(milliseconds: RefreshMark.settlingMilliseconds(holding: held, number: number))
    return try self.session(like: session) == marked
  }
}
