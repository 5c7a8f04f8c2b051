package import Credentials
import SecretService
import Secrets

/// Finding sessions, and removing what was found. What is looked for together is searched for in one
/// round of calls, and read in another.
extension KeyringSessionStore {
  package func sessions(
    of deployment: Deployment, account: String?
  ) throws(StoreError) -> [StoredSession] {
    try lookUp([.sessions(of: deployment, account: account)]).found(0).sessions
  }

  package func plainSessions(
    on server: Deployment, account: String?
  ) throws(StoreError) -> [StoredSession] {
    try lookUp([.plain(on: server, account: account)]).found(0).sessions
  }

  package func lookUp(_ queries: [SessionQuery]) -> any SessionLookUp {
    do throws(StoreError) {
      let lists = try reading { service throws(SecretServiceError) in
        try service.list(
          queries.map(\.attributes), toldApartBy: Self.identity, readsSecrets: true)
      }
      return KeyringLookUp(store: self, queries: queries, lists: lists)
    } catch {
      return FailedLookUp(error: error)
    }
  }

  fileprivate func found(
    in items: [Item], for query: SessionQuery
  ) throws(StoreError) -> FoundSessions {
    switch query {
    case .sessions(let deployment, let account):
      trace("the keyring holds \(items.count) session items of \(deployment.url)")
      return try sessions(in: unique(items), account) { _ in deployment }
    case .plain(let server, let account):
      var found = try sessions(in: unique(items), account) {
        try? Deployment(storedURL: $0.deployment)
      }
      found.sessions.removeAll { !$0.isPlain || $0.deployment.server != server }
      return found
    }
  }

  /// The sessions of an account in items, whose deployment is told for each.
  func sessions(
    in items: [Item], _ account: String?, of deployment: (Item) -> Deployment?
  ) throws(StoreError) -> FoundSessions {
    var found = FoundSessions(sessions: [], hasLost: false)
    var unreadable: StoreError?
    for item in items where AccountMatch.serves(account, with: item.account) {
      guard let deployment = deployment(item) else { continue }
      do throws(StoreError) {
        if let session = try session(in: item, of: deployment) {
          found.sessions.append(session)
        } else {
          found.hasLost = true
        }
      } catch {
        guard case .unreadable = error else { throw error }
        unreadable = error
      }
    }
    // One that cannot be read is no reason to do without the others.
    if found.sessions.isEmpty, let unreadable { throw unreadable }
    return found
  }

  package func remove(_ former: StoredSession) throws(StoreError) -> Bool {
    let list = try reading { service throws(SecretServiceError) in
      try service.list(
        [Attributes(ItemIdentity.session(of: former.deployment))], toldApartBy: Self.identity,
        readsSecrets: true)[0].get()
    }
    let items = list.filter { $0.account == former.account }
    let stored = try sessions(in: unique(items), former.account) { _ in former.deployment }
    guard stored.sessions.first == former else { return false }
    try removeItems(items)
    return true
  }

  package func removeSessions(of deployment: Deployment, account: String?) throws(StoreError) {
    try removeItems(allItems(.session, deployment)) { item throws(StoreError) in
      AccountMatch.isExact(account, item.account)
    }
  }

  package func removeLostSessions(
    of deployment: Deployment, account: String?
  ) throws(StoreError) -> Int {
    try removeItems(allItems(.session, deployment)) { item throws(StoreError) in
      guard AccountMatch.isExact(account, item.account) else { return false }
      do throws(StoreError) { return try session(in: item, of: deployment) == nil } catch {
        guard case .unreadable = error else { throw error }
        return false
      }
    }
  }
}

extension SessionQuery {
  fileprivate var attributes: Attributes {
    switch self {
    case .sessions(let deployment, _): Attributes(ItemIdentity.session(of: deployment))
    case .plain(let server, _): Attributes(ItemIdentity.plainSessions(on: server))
    }
  }
}

private struct KeyringLookUp: SessionLookUp {
  let store: KeyringSessionStore
  let queries: [SessionQuery]
  let lists: [Outcome<[Item]>]

  func found(_ index: Int) throws(StoreError) -> FoundSessions {
    let items = try store.reading { _ throws(SecretServiceError) in try lists[index].get() }
    return try store.found(in: items, for: queries[index])
  }

  func remove(_ session: StoredSession) throws(StoreError) {
    for (query, list) in zip(queries, lists) {
      // This one finds all items of the session.
      guard case .sessions(session.deployment, _) = query, case .success(let items) = list else {
        continue
      }
      try store.removeItems(items) { item throws(StoreError) in item.account == session.account }
      return
    }
    try store.removeSessions(of: session.deployment, account: session.account)
  }
}

private struct FailedLookUp: SessionLookUp {
  let error: StoreError

  func found(_ index: Int) throws(StoreError) -> FoundSessions { throw error }

  func remove(_ session: StoredSession) throws(StoreError) { throw error }
}
