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

  /// The session for a request: of this deployment, else of the nearest parent path, else a plain
  /// credential of any path, if a request in git's format names none; of the account asked for; OAuth before a
  /// token, and a token before a plain credential.
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
      if let session = try choose(among: stored, request) { return session }
    }
    guard request.isInGitsFormat, request.place.path.isEmpty else { return nil }
    let plain = try keyring { () throws(StoreError) in
      try store.plainSessions(on: request.place, account: request.username)
    }
    return try choose(among: plain, request)
  }

  private func choose(
    among stored: [StoredSession], _ request: CredentialRequest
  ) throws(SessionError) -> StoredSession? {
    let sessions = stored.filter(request.isServed(by:))
    let ofAccount = sessions.filter { $0.account == request.username }
    let fitting = ofAccount.isEmpty ? sessions : ofAccount
    // One that has ended is no choice while there is another.
    let living = fitting.filter { !$0.hasEnded(now: clock.now) }
    let ranked = living.isEmpty ? fitting : living
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

  private func keyring<Value>(
    _ body: () throws(StoreError) -> Value
  ) throws(SessionError) -> Value {
    do throws(StoreError) { return try body() } catch { throw .store(error) }
  }
}
