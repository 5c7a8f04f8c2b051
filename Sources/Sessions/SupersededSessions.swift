package import Credentials
import OAuth

/// The sessions that a sign-in may end: a deployment keeps one grant for a user and a client, and
/// the exchange of a code ends the former one at once.
///
/// They are marked before the exchange, so that nobody is handed a token that it is about to kill.
package struct SupersededSessions {
  /// How long to wait for a refresh of such a session that is under way, in milliseconds.
  private static let timeoutMilliseconds = 1_000

  private let services: SessionServices
  private var marked: [(former: StoredSession, now: StoredSession)] = []

  /// Marks the sessions whose tokens were issued to a client.
  ///
  /// One that is being refreshed is marked already, and is left to that.
  ///
  /// - Throws: ``StoreError`` when the keyring takes no mark: a session that could not be marked must
  ///   not be ended.
  package init(
    of deployment: Deployment, clientID: String, services: SessionServices
  ) throws(StoreError) {
    self.services = services
    let owner = RefreshMark.owner(
      holding: HeldLock(coversKeyring: false), number: services.random())
    let sessions = try services.store.sessions(of: deployment, account: nil)
    for session in sessions where session.method == .oauth && session.clientID == clientID {
      if let mark = try mark(session, owner) { marked.append(mark) }
    }
  }

  private func mark(
    _ session: StoredSession, _ owner: String
  ) throws(StoreError) -> (former: StoredSession, now: StoredSession)? {
    do throws(SessionError) {
      return try services.lock.withLock(
        of: session.identity, timeoutMilliseconds: Self.timeoutMilliseconds,
        orUse: { () throws(SessionError) in nil }
      ) { _ throws(SessionError) in
        do throws(StoreError) {
          guard let former = try services.store.session(like: session) else { return nil }
          let now = former.marked(by: owner, since: services.clock.now)
          return try services.store.replace(former, with: now) ? (former, now) : nil
        } catch {
          throw .store(error)
        }
      }
    } catch {
      if case .store(let failure) = error { throw failure }
      return nil
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
  package func release(
    _ effect: Effect, isDead: (StoredSession) -> Bool = { _ in false }
  ) {
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
        }
      }
      // What fails here costs a refresh.
      try? replace(now, with: released)
    }
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
