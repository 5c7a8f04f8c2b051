package import Credentials
package import SecretService
import Secrets

/// The sessions and registrations in the desktop's Secret Service, two kinds of item.
///
/// Invariants: attributes are identity only and never change, everything else is in the payload; an
/// item is written where it was found, in whatever collection, and only if what it holds is ours
/// or lost; of several items of one session the unlocked one counts, then the newest. Nobody is
/// asked anything before ``allowPrompts()``.
///
/// The service is opened by the first call, and again after it went away.
package final class KeyringSessionStore: SessionStore {
  private enum Kind: String {
    case session
    case client
  }

  /// How long a person may take to answer a window of the keyring, in seconds.
  private static let promptTimeoutSeconds = 120

  private var openService: SecretService?
  private var prompts = PromptPolicy.never
  private let onWait: @Sendable (PromptPolicy.Subject) -> Void
  private let onLoss: (String) -> Void
  private let trace: (String) -> Void

  /// Opens nothing yet.
  ///
  /// - Parameters:
  ///   - onWait: called while a window of the keyring waits for the person.
  ///   - onLoss: takes the label of an item whose secret the keyring has lost.
  ///   - trace: takes a line of what is done, free of secrets.
  package init(
    onWait: @escaping @Sendable (PromptPolicy.Subject) -> Void, onLoss: @escaping (String) -> Void,
    trace: @escaping (String) -> Void
  ) {
    self.onWait = onWait
    self.onLoss = onLoss
    self.trace = trace
  }

  package func sessions(of deployment: Deployment, account: String?) throws(StoreError)
    -> [StoredSession]
  {
    try sessions(in: search(.session, deployment), account) { _ in deployment }
  }

  package func plainSessions(
    on server: Deployment, account: String?
  ) throws(StoreError) -> [StoredSession] {
    try sessions(in: unique(allItems(ItemIdentity.plainSessions(on: server))), account) {
      try? Deployment(storedURL: $0.deployment)
    }.filter { $0.isPlain && $0.deployment.server == server }
  }

  /// The sessions of an account in items, whose deployment is told for each.
  private func sessions(
    in items: [Item], _ account: String?, of deployment: (Item) -> Deployment?
  ) throws(StoreError) -> [StoredSession] {
    var sessions: [StoredSession] = []
    var unreadable: StoreError?
    for item in items where AccountMatch.serves(account, with: item.account) {
      guard let deployment = deployment(item) else { continue }
      do throws(StoreError) {
        if let session = try session(in: item, of: deployment) { sessions.append(session) }
      } catch {
        guard case .unreadable = error else { throw error }
        unreadable = error
      }
    }
    // One that cannot be read is no reason to do without the others.
    if sessions.isEmpty, let unreadable { throw unreadable }
    return sessions
  }

  package func deploymentsWithRegistration() throws(StoreError) -> [String] {
    try search(.client, nil).map(\.deployment)
  }

  package func entries(of deployment: Deployment?) throws(StoreError) -> [SessionEntry] {
    let items = try search(.session, deployment)
    // Together: a call for each would take as long again as finding them.
    let secrets = try reading { service throws(SecretServiceError) in try service.secrets(of: items)
    }
    return zip(items, secrets).map { item, secret in
      SessionEntry(
        deployment: item.deployment, account: item.account, content: content(of: item, secret),
        label: item.label)
    }
  }

  package func save(_ session: StoredSession) throws(StoreError) {
    try store(
      label: ItemIdentity.label(of: session),
      ItemIdentity.item(of: session)
    ) { () throws(MalformedInput) in
      try session.payload()
    } check: { line throws(MalformedInput) in
      _ = try StoredSession(
        payload: line, deployment: session.deployment, account: session.account)
    }
  }

  package func removeSessions(of deployment: Deployment, account: String?) throws(StoreError) {
    try removeItems(.session, deployment) { item throws(StoreError) in
      AccountMatch.isExact(account, item.account)
    }
  }

  package func removeLostSessions(
    of deployment: Deployment, account: String?
  ) throws(StoreError) -> Int {
    try removeItems(.session, deployment) { item throws(StoreError) in
      guard AccountMatch.isExact(account, item.account) else { return false }
      do throws(StoreError) { return try session(in: item, of: deployment) == nil } catch {
        guard case .unreadable = error else { throw error }
        return false
      }
    }
  }

  package func registration(of deployment: Deployment) throws(StoreError) -> StoredRegistration? {
    guard let item = try search(.client, deployment).first,
      let secret = try secret(of: item)
    else { return nil }
    do throws(MalformedInput) {
      return try StoredRegistration(payload: secret, deployment: deployment)
    } catch {
      throw item.unreadable(error)
    }
  }

  package func save(_ registration: StoredRegistration) throws(StoreError) {
    try store(
      label: ItemIdentity.registrationLabel(of: registration.deployment),
      ItemIdentity.registration(of: registration.deployment)
    ) { () throws(MalformedInput) in
      try registration.payload()
    } check: { line throws(MalformedInput) in
      _ = try StoredRegistration(payload: line, deployment: registration.deployment)
    }
  }

  package func removeRegistration(of deployment: Deployment) throws(StoreError) {
    try removeItems(.client, deployment) { _ throws(StoreError) in true }
  }

  package func allowPrompts() {
    prompts = .ask(timeoutSeconds: Self.promptTimeoutSeconds, onWait: onWait)
    openService?.prompts = prompts
  }

  package func unlock() throws(StoreError) {
    allowPrompts()
    try reading { service throws(SecretServiceError) in try service.unlock() }
  }

  package var isReadableOnDisk: Bool { openService?.hasCollectionWithoutPassword ?? false }
}

/// One item, and the service.
extension KeyringSessionStore {
  func connected() throws(SecretServiceError) -> SecretService {
    if let openService { return openService }
    let service = try SecretService(prompts: prompts)
    openService = service
    return service
  }

  /// The one place where the library's refusals become ours.
  func reading<Value>(
    _ body: (SecretService) throws(SecretServiceError) -> Value
  ) throws(StoreError) -> Value {
    do throws(SecretServiceError) { return try body(connected()) } catch { throw .keyring(error) }
  }

  /// The items, one for each identity: a second one may be left from two that were made at once,
  /// or from a time when another collection was the default.
  private func search(
    _ kind: Kind, _ deployment: Deployment?
  ) throws(StoreError) -> [Item] {
    let items = try allItems(kind, deployment)
    trace("the keyring holds \(items.count) \(kind.rawValue) items of \(deployment?.url ?? "all")")
    return unique(items)
  }

  private func unique(_ items: [Item]) -> [Item] {
    let items = items.sorted {
      ($0.isLocked ? 1 : 0, -$0.modified) < ($1.isLocked ? 1 : 0, -$1.modified)
    }
    var seen: Set<[String]> = []
    return items.filter { item in
      // A keyring that was never unlocked does not tell whose an item is.
      item.deployment.isEmpty || seen.insert([item.deployment, item.account]).inserted
    }
  }

  private func allItems(
    _ kind: Kind, _ deployment: Deployment?
  ) throws(StoreError) -> [Item] {
    try allItems(
      kind == .session
        ? ItemIdentity.session(of: deployment) : ItemIdentity.registration(of: deployment))
  }

  private func allItems(_ attributes: [String: String]) throws(StoreError) -> [Item] {
    try reading { service throws(SecretServiceError) in
      try service.search(Attributes(attributes))
    }
  }

  @discardableResult
  private func removeItems(
    _ kind: Kind, _ deployment: Deployment,
    where isMeant: (Item) throws(StoreError) -> Bool
  ) throws(StoreError) -> Int {
    var count = 0
    for item in try allItems(kind, deployment) where try isMeant(item) {
      do throws(SecretServiceError) {
        try connected().delete(item)
        count += 1
      } catch .noSuchItem {
        continue  // Somebody else was faster.
      } catch {
        throw .keyring(error)
      }
    }
    return count
  }

  /// The session that an item holds; nil when the keyring has lost it.
  private func session(
    in item: Item, of deployment: Deployment
  ) throws(StoreError) -> StoredSession? {
    guard let secret = try secret(of: item) else { return nil }
    do throws(MalformedInput) {
      return try StoredSession(payload: secret, deployment: deployment, account: item.account)
    } catch {
      throw item.unreadable(error)
    }
  }

  /// What an item holds; nil when the keyring has lost it: KWallet writes attributes at once and
  /// secrets seconds later, if it lives so long.
  private func secret(of item: Item) throws(StoreError) -> Secret? {
    do throws(SecretServiceError) {
      let secret = try connected().secret(of: item)
      guard secret.isEmpty else { return secret }
      onLoss(item.label)
      return nil
    } catch .malformed(let reason) {
      throw item.unreadable(.payload(reason: reason))
    } catch {
      throw .keyring(error)
    }
  }

  private func content(
    of item: Item, _ secret: Result<Secret, SecretServiceError>
  ) -> SessionEntry.Content {
    do throws(MalformedInput) {
      switch secret {
      case .success(let secret):
        if secret.isEmpty { return .lost }
        let deployment = try Deployment(storedURL: item.deployment)
        return .session(
          try StoredSession(payload: secret, deployment: deployment, account: item.account))
      case .failure(.malformed(let reason)): return .unreadable(.payload(reason: reason))
      case .failure(let error): return .locked(.keyring(error))
      }
    } catch {
      return .unreadable(error)
    }
  }

  /// Writes an item in place, unless `check` throws for what it holds, or a new one.
  private func store(
    label: String, _ identity: [String: String], payload: () throws(MalformedInput) -> Secret,
    check: (Secret) throws(MalformedInput) -> Void
  ) throws(StoreError) {
    let attributes = Attributes(identity)
    let secret: Secret
    do throws(MalformedInput) { secret = try payload() } catch { throw .unwritable(error) }
    let found = try reading { service throws(SecretServiceError) in
      try service.search(attributes)
    }.first { $0.attributes == attributes && $0.schema == SecretService.schema }
    if let found, !found.isLocked { try requireReplaceable(found, check) }
    try reading { service throws(SecretServiceError) in
      try service.store(secret, label: label, attributes: attributes)
    }
    trace("the keyring keeps “\(label)”")
  }

  private func requireReplaceable(
    _ item: Item, _ check: (Secret) throws(MalformedInput) -> Void
  ) throws(StoreError) {
    let former: Secret?
    do throws(StoreError) { former = try secret(of: item) } catch .keyring(.noSuchItem) {
      return  // Removed meanwhile: a new one is made.
    }
    guard let former else { return }
    do throws(MalformedInput) { try check(former) } catch {
      throw item.unreadable(error)
    }
  }
}

extension Item {
  fileprivate var deployment: String { attributes["deployment"] ?? "" }
  fileprivate var account: String { attributes["account"] ?? "" }

  fileprivate func unreadable(_ error: MalformedInput) -> StoreError {
    let isSession = attributes["kind"] == "session"
    return .unreadable(
      label: label, error, deployment: deployment, account: isSession ? account : nil)
  }
}
