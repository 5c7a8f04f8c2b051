package import Credentials

/// Finds the session that a request means.
package struct SessionLookup {
  private let store: any SessionStore
  private let clock: any SessionClock

  /// Looks in a keyring.
  package init(store: any SessionStore, clock: any SessionClock) {
    self.store = store
    self.clock = clock
  }

  /// The session for a request: of this deployment, else of the nearest parent path; of the account
  /// asked for; OAuth before a kept token, and a token before a password.
  ///
  /// - Returns: nil when nothing here is meant by the request.
  /// - Throws: ``SessionError/severalAccounts(_:_:)`` when several accounts fit equally;
  ///   ``SessionError/store(_:)``.
  package func session(for request: CredentialRequest) throws(SessionError) -> StoredSession? {
    for deployment in request.deployment.withParents {
      let stored: [StoredSession]
      do throws(StoreError) {
        stored = try store.sessions(of: deployment, account: request.username)
      } catch {
        throw .store(error)
      }
      let fitting = stored.filter(request.isServed(by:))
      if let session = try choose(among: fitting, account: request.username) { return session }
    }
    return nil
  }

  private func choose(
    among sessions: [StoredSession], account: String?
  ) throws(SessionError) -> StoredSession? {
    let ofAccount = sessions.filter { $0.account == account }
    let fitting = ofAccount.isEmpty ? sessions : ofAccount
    // One that has ended is no choice while there is another.
    let living = fitting.filter { !$0.hasEnded(now: clock.now) }
    let ranked = living.isEmpty ? fitting : living
    for method in [StoredSession.Method.oauth, .token, .basic] {
      let candidates = ranked.filter { $0.method == method }
      guard let first = candidates.first else { continue }
      guard candidates.count == 1 else {
        throw .severalAccounts(first.deployment, candidates.map(\.account).sorted())
      }
      return first
    }
    return nil
  }
}
