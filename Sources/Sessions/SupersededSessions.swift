package import Credentials
import OAuth

/// The sessions that a sign-in may end: a deployment keeps one grant for a user and a client, and
/// the exchange of a code ends the former one at once.
///
/// They are marked before the exchange, so that nobody is handed a token that it is about to kill.
package struct SupersededSessions {
  /// How long to wait for the lock at once, in milliseconds: so often the person is listened to.
  private static let timeoutMilliseconds = 2_000
  /// How long to wait for a refresh of such a session that is under way, in milliseconds. Its mark
  /// is there, and what it brings is dead once the code is exchanged.
  private static let refreshTimeoutMilliseconds: Int64 = 10_000

  private let services: SessionServices
  private var marked: [(former: StoredSession, now: StoredSession)] = []

  /// Marks the sessions whose tokens were issued to a client.
  ///
  /// One that is being refreshed all the time is marked already, and is left to that. One whose lock
  /// is held for longer than anybody needs it stays as it is: what the person has allowed is worth
  /// more.
  ///
  /// - Parameters:
  ///   - deployment: where they are valid.
  ///   - clientID: the client.
  ///   - owner: who marks them (``RefreshMark/leaseOwner(number:)``): others must stay away although
  ///     the lock is released before the exchange.
  ///   - services: the seams.
  ///   - isInterrupted: whether the person wants no more; asked again and again.
  /// - Throws: ``StoreError`` when the keyring takes no mark: a session that could not be marked must
  ///   not be ended.
  package init(
    of deployment: Deployment, clientID: String, owner: String, services: SessionServices,
    isInterrupted: () -> Bool
  ) throws(StoreError) {
    self.services = services
    let sessions = try services.store.sessions(of: deployment, account: nil)
    for session in sessions where session.method == .oauth && session.clientID == clientID {
      let start = services.clock.uptimeMilliseconds
      var isDone = false
      while !isDone, !isInterrupted() {
        do throws(SessionError) {
          if let mark = try mark(session, owner) {
            marked += mark.now == mark.former ? [] : [mark]
            isDone = true
          }
        } catch .store(let failure) {
          release(.none)
          throw failure
        } catch {
          let waited = services.clock.uptimeMilliseconds - start
          let isMarked = try services.store.session(like: session)?.refreshingBy != nil
          let timeout =
            isMarked ? Self.refreshTimeoutMilliseconds : Int64(RefreshMark.timeoutMilliseconds)
          isDone = waited >= timeout
        }
      }
    }
  }

  /// Marks a session.
  ///
  /// - Returns: the session before and with the mark, which are the same when there is nothing to
  ///   mark any more; nil when another process has changed it meanwhile.
  private func mark(
    _ session: StoredSession, _ owner: String
  ) throws(SessionError) -> (former: StoredSession, now: StoredSession)? {
    try services.lock.withSession(
      session.identity, in: services.store, clock: services.clock, besides: owner,
      timeoutMilliseconds: Self.timeoutMilliseconds
    ) { held, stored throws(SessionError) in
      guard let stored, stored.method == .oauth, stored.clientID == session.clientID,
        !stored.hasEnded(now: services.clock.now)
      else { return (session, session) }
      var former = stored
      // A write of ours that was reported as failed, and was not.
      if stored.refreshingBy == owner { (former.refreshingSince, former.refreshingBy) = (nil, nil) }
      let now = former.marked(by: owner, since: services.clock.now)
      do throws(StoreError) {
        return try services.mark(stored, as: now, holding: held) ? (former, now) : nil
      } catch {
        throw .store(error)
      }
    }
  }

  /// What the exchange has done to the sessions.
  package enum Effect {
    /// Nothing: the code was not used.
    case none
    /// It may have ended them.
    case unknown
    /// It has brought this session, and ended the former one of the same user.
    case replaced(by: StoredSession)
  }

  /// Takes the marks away, as far as the sessions are still as they were marked.
  ///
  /// - Parameters:
  ///   - effect: what became of the exchange.
  ///   - isDead: whether the deployment rejects a session's access token; asked about sessions
  ///     that seem to be other users'.
  /// - Returns: the sessions that stay marked although a session has come in their place: whether
  ///   they have ended, only a refresh tells.
  @discardableResult
  package func release(
    _ effect: Effect, isDead: (StoredSession) -> Bool = { _ in false }
  ) -> [StoredSession] {
    var suspects: [StoredSession] = []
    for (former, now) in marked {
      // One that has made room, or was changed by others, is no longer ours to release.
      guard (try? services.store.session(like: now)) == now else { continue }
      var released = former
      switch effect {
      case .none: break
      case .unknown: released = now.marked(by: nil, since: now.refreshingSince ?? 0)
      case .replaced(let session):
        if session.account == former.account { continue }
        // Whose it is, is unknown; or the user was renamed.
        if session.account.isEmpty || isDead(former) {
          released = now.marked(by: nil, since: now.refreshingSince ?? 0)
          suspects.append(released)
        }
      }
      // What fails here costs a refresh.
      try? replace(now, with: released)
    }
    return suspects
  }

  /// Only under the lock: another sign-in may be saving.
  private func replace(
    _ former: StoredSession, with session: StoredSession
  ) throws(SessionError) {
    try services.lock.withLock(
      of: session.identity, timeoutMilliseconds: Self.timeoutMilliseconds,
      orUse: { () throws(SessionError) in nil }
    ) { _ throws(SessionError) in
      do throws(StoreError) { _ = try services.store.replace(former, with: session) } catch {
        throw .store(error)
      }
    }
  }
}
