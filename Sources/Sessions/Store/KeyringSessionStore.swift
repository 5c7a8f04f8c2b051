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
  enum Kind: String {
    case session
    case client
  }

  /// The attributes that tell one item of a kind from another.
  static let identity = ["deployment", "account"]

  /// How long a person may take to answer a window of the keyring, in seconds.
  private static let promptTimeoutSeconds = 120

  private var openService: SecretService?
  private var prompts = PromptPolicy.never
  private let onWait: @Sendable (PromptPolicy.Subject) -> Void
  private let onLoss: (String) -> Void
  let trace: (String) -> Void

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

  package func registration(of deployment: Deployment) throws(StoreError) -> StoredRegistration? {
    guard let item = try search(.client, deployment).first,
      let secret = try secret(of: item)
    else { return nil }
    do throws(MalformedInput) {
      return try StoredRegistration(payload: secret, deployment: deployment)
    } catch {
      throw unreadable(item, error)
    }
  }

  package func removeRegistration(of deployment: Deployment) throws(StoreError) {
    try removeItems(allItems(.client, deployment))
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
  func connected(claiming name: String? = nil) throws(SecretServiceError) -> SecretService {
    if let openService { return openService }
    let service = try SecretService(prompts: prompts, claiming: name)
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

  func unique(_ items: [Item]) -> [Item] {
    guard items.count > 1 else { return items }
    var seen: Set<[String]> = []
    return items.filter { item in
      // A keyring that was never unlocked does not tell whose an item is.
      item.deployment.isEmpty || seen.insert([item.deployment, item.account]).inserted
    }
  }

  func allItems(
    _ kind: Kind, _ deployment: Deployment?
  ) throws(StoreError) -> [Item] {
    try allItems(
      kind == .session
        ? ItemIdentity.session(of: deployment) : ItemIdentity.registration(of: deployment))
  }

  private func allItems(_ attributes: [String: String]) throws(StoreError) -> [Item] {
    try reading { service throws(SecretServiceError) in
      try service.list([Attributes(attributes)], toldApartBy: Self.identity)[0].get()
    }
  }

  @discardableResult
  func removeItems(
    _ items: [Item], where isMeant: (Item) throws(StoreError) -> Bool = { _ in true }
  ) throws(StoreError) -> Int {
    var count = 0
    for item in items where try isMeant(item) {
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
  func session(
    in item: Item, of deployment: Deployment
  ) throws(StoreError) -> StoredSession? {
    guard let secret = try secret(of: item) else { return nil }
    do throws(MalformedInput) {
      return try StoredSession(payload: secret, deployment: deployment, account: item.account)
    } catch {
      throw unreadable(item, error)
    }
  }

  /// What an item holds; nil when the keyring has lost it: KWallet writes attributes at once and
  /// secrets seconds later, if it lives so long.
  func secret(of item: Item) throws(StoreError) -> Secret? {
    do throws(SecretServiceError) {
      let secret = try content(of: item)
      guard secret.isEmpty else { return secret }
      onLoss(try connected().label(of: item))
      return nil
    } catch .malformed(let reason) {
      throw unreadable(item, .payload(reason: reason))
    } catch {
      throw .keyring(error)
    }
  }

  private func content(of item: Item) throws(SecretServiceError) -> Secret {
    if let secret = item.secret { return secret }
    // The fast path reads sessions without encryption as well, each time that one is asked for.
    return try connected().secret(of: item, encrypted: !item.isSession)
  }

  func unreadable(_ item: Item, _ error: MalformedInput) -> StoreError {
    let label = try? connected().label(of: item)
    return .unreadable(
      label: label ?? "", error, deployment: item.deployment,
      account: item.isSession ? item.account : nil)
  }

  private func content(
    of item: Item, _ secret: Outcome<Secret>
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
}

extension Item {
  var deployment: String { attributes["deployment"] ?? "" }
  var account: String { attributes["account"] ?? "" }

  var isSession: Bool { attributes["kind"] == "session" }
}
