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

  /// The session for a request: of this deployment, else of the nearest parent path, else a plain
  /// credential of any path, if a request in git's format names none; of the account asked for, else
  /// of the active one; OAuth before a token, and a token before a plain credential.
  ///
  /// A deployment's active account is the one that a person has chosen, else the one that signed in
  /// last. Sessions that have ended do not count while there is another.
  ///
  /// - Returns: nil when nothing here is meant by the request.
  /// - Throws: ``SessionError/severalAccounts(_:_:)`` when several accounts fit equally;
  ///   ``SessionError/store(_:)``.
  package func session(for request: CredentialRequest) throws(SessionError) -> StoredSession? {
    var deployments = request.deployment.withParents
    if request.place != request.deployment { deployments.insert(request.place, at: 0) }
    for deployment in deployments {
      let stored = try keyring { () throws(StoreError) in
        try store.sessions(of: deployment, account: request.username)
      }
      if let session = try choose(among: stored, request, at: deployment) { return session }
    }
    guard request.isInGitsFormat, request.place.path.isEmpty else { return nil }
    let plain = try keyring { () throws(StoreError) in
      try store.plainSessions(on: request.place, account: request.username)
    }
    return try choose(among: plain, request, at: request.place)
  }

  /// The session that is meant of these of one deployment when no account is named; nil when none
  /// is, or when several fit equally.
  package func meant(
    among sessions: [StoredSession], at deployment: Deployment
  ) -> StoredSession? {
    try? choose(among: sessions, CredentialRequest(deployment: deployment), at: deployment)
  }

  private func choose(
    among stored: [StoredSession], _ request: CredentialRequest, at deployment: Deployment
  ) throws(SessionError) -> StoredSession? {
    let sessions = stored.filter(request.isServed(by:))
    let ofAccount = sessions.filter { $0.account == request.username }
    let fitting = ofAccount.isEmpty ? sessions : ofAccount
    // One that has ended is no choice while there is another.
    let living = fitting.filter { !$0.hasEnded(now: clock.now) }
    let ranked = living.isEmpty ? fitting : living
    if request.username == nil, let session = active(among: ranked, at: deployment) {
      return session
    }
    if request.isInGitsFormat, ranked.allSatisfy(\.isPlain) {
      return ranked.max { $0.storedAt ?? 0 < $1.storedAt ?? 0 }
    }
    for isPlain in [false, true] {
      for method in [StoredSession.Method.oauth, .token, .basic] {
        let candidates = ranked.filter { $0.method == method && $0.isPlain == isPlain }
        guard let first = candidates.first else { continue }
        guard candidates.count == 1 else {
          throw .severalAccounts(first.deployment, candidates.map(\.account).sorted())
        }
        return first
      }
    }
    return nil
  }

  /// The session of the active account; what is kept for git is no account here.
  private func active(
    among sessions: [StoredSession], at deployment: Deployment
  ) -> StoredSession? {
    let sessions = sessions.filter(\.isForDeployment)
    if let chosen = activeAccount(deployment),
      let session = sessions.first(where: { $0.account == chosen })
    {
      return session
    }
    guard let latest = sessions.compactMap(\.signedInAt).max() else { return nil }
    let last = sessions.filter { $0.signedInAt == latest }
    return last.count == 1 ? last.first : nil
  }

  private func keyring<Value>(
    _ body: () throws(StoreError) -> Value
  ) throws(SessionError) -> Value {
    do throws(StoreError) { return try body() } catch { throw .store(error) }
  }
}
