package import Credentials

/// What may be asked of a keyring together with others.
package enum SessionQuery: Sendable {
  /// As ``SessionStore/sessions(of:account:)``.
  case sessions(of: Deployment, account: String?)
  /// As ``SessionStore/plainSessions(on:account:)``.
  case plain(on: Deployment, account: String?)
}

/// What a keyring holds for a query.
package struct FoundSessions: Sendable {
  /// The sessions that it tells.
  package var sessions: [StoredSession]
  /// Whether there are also items whose secret the keyring has lost; true where that is not known.
  package var hasLost = true
}

/// The answers to several queries.
package protocol SessionLookUp {
  /// What was found for the query with this index.
  func found(_ index: Int) throws(StoreError) -> FoundSessions
  /// Removes a session that was found, as it stands there now: for who holds its lock since before the
  /// search.
  func remove(_ session: StoredSession) throws(StoreError)
}

/// For a keyring that answers one query at a time.
struct LookUpOneByOne: SessionLookUp {
  let store: any SessionStore
  let queries: [SessionQuery]

  func found(_ index: Int) throws(StoreError) -> FoundSessions {
    switch queries[index] {
    case .sessions(let deployment, let account):
      FoundSessions(sessions: try store.sessions(of: deployment, account: account))
    case .plain(let server, let account):
      FoundSessions(sessions: try store.plainSessions(on: server, account: account))
    }
  }

  func remove(_ session: StoredSession) throws(StoreError) {
    _ = try store.remove(session)
  }
}
