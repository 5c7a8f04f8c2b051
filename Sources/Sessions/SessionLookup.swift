package import Credentials

/// Finds the session that a request means.
package struct SessionLookup {
  private let store: any SessionStore
  private let clock: any SessionClock
  private let activeAccount: (Deployment) -> String?

  /// Looks in a keyring.
  ///
  /// - Parameters:
  ///   - store: the keyring.
  ///   - clock: tells which sessions have ended.
  ///   - activeAccount: the account that a person has chosen for a deployment, or nil.
  package init(
    store: any SessionStore, clock: any SessionClock,
    activeAccount: @escaping (Deployment) -> String? = { _ in nil }
  ) {
    self.store = store
    self.clock = clock
    self.activeAccount = activeAccount
  }

  /// The session for a request: of this deployment, else of the nearest parent path; of the account
  /// asked for, else of the active one; OAuth before a kept token, and a token before a password.
  ///
  /// A deployment's active account is the one that a person has chosen, else the one that signed in
  /// last. Sessions that have ended do not count while there is another.
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
      if let session = try choose(among: fitting, account: request.username, at: deployment) {
        return session
      }
    }
    return nil
  }

  /// The session that is meant of these of one deployment when no account is named; nil when none
  /// is, or when several fit equally.
  package func meant(
    among sessions: [StoredSession], at deployment: Deployment
  ) -> StoredSession? {
    try? choose(among: sessions, account: nil, at: deployment)
  }

  private func choose(
    among sessions: [StoredSession], account: String?, at deployment: Deployment
  ) throws(SessionError) -> StoredSession? {
    let ofAccount = sessions.filter { $0.account == account }
    let fitting = ofAccount.isEmpty ? sessions : ofAccount
    // One that has ended is no choice while there is another.
    let living = fitting.filter { !$0.hasEnded(now: clock.now) }
    let ranked = living.isEmpty ? fitting : living
    if account == nil, let session = active(among: ranked, at: deployment) { return session }
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

  /// The session of the active account; a password is kept for git, and no account here.
  private func active(
    among sessions: [StoredSession], at deployment: Deployment
  ) -> StoredSession? {
    let sessions = sessions.filter { $0.method != .basic }
    if let chosen = activeAccount(deployment),
      let session = sessions.first(where: { $0.account == chosen })
    {
      return session
    }
    guard let latest = sessions.compactMap(\.signedInAt).max() else { return nil }
    let last = sessions.filter { $0.signedInAt == latest }
    return last.count == 1 ? last.first : nil
  }
}
