package import Credentials
import SecretService
import Secrets

/// The sessions and registrations in the desktop's Secret Service, two kinds of item.
///
/// The service is opened by the first call, and again after it went away.
///
/// Attributes are identity only and never change; everything else is in the payload. A set of
/// attributes is always written whole, and none is a subset of another, because CreateItem
/// replaces any item that contains what it is given.
package final class KeyringSessionStore: SessionStore {
  private enum Kind: String {
    case session
    case client
  }

  private var openService: SecretService?
  private let trace: (String) -> Void

  /// Opens nothing yet.
  ///
  /// - Parameter trace: takes a line of what is done, free of secrets.
  package init(trace: @escaping (String) -> Void) {
    self.trace = trace
  }

  package func sessions(of deployment: Deployment, account: String?) throws(StoreError)
    -> [StoredSession]
  {
    let items = try search(.session, deployment)
      .filter { AccountMatch.serves(account, with: $0.account) }
    return try items.map { item throws(StoreError) in
      let secret = try secret(of: item)
      do throws(MalformedInput) {
        return try StoredSession(payload: secret, deployment: deployment, account: item.account)
      } catch {
        throw .unreadable(label: item.label, error)
      }
    }
  }

  package func deploymentsWithRegistration() throws(StoreError) -> [String] {
    try search(.client, nil).map(\.deployment)
  }

  package func entries(of deployment: Deployment?) throws(StoreError) -> [SessionEntry] {
    let items = try search(.session, deployment, attributesOnly: true)
    // Together: a call for each would take as long again as finding them.
    let secrets = try reading { service throws(SecretServiceError) in try service.secrets(of: items)
    }
    return zip(items, secrets).map { item, secret in
      SessionEntry(
        deployment: item.deployment, account: item.account, content: content(of: item, secret))
    }
  }

  package func save(_ session: StoredSession) throws(StoreError) {
    try store(
      label: ItemIdentity.label(of: session),
      ItemIdentity.session(of: session.deployment, account: session.account)
    ) { () throws(MalformedInput) in try session.payload() }
  }

  package func removeSessions(of deployment: Deployment, account: String?) throws(StoreError) {
    for item in try search(.session, deployment)
    where AccountMatch.isExact(account, item.account) {
      try reading { service throws(SecretServiceError) in try service.delete(item) }
    }
  }

  package func registration(of deployment: Deployment) throws(StoreError) -> StoredRegistration? {
    guard let item = try search(.client, deployment).first else { return nil }
    let secret = try secret(of: item)
    do throws(MalformedInput) {
      return try StoredRegistration(payload: secret, deployment: deployment)
    } catch {
      throw .unreadable(label: item.label, error)
    }
  }

  package func save(_ registration: StoredRegistration) throws(StoreError) {
    try store(
      label: ItemIdentity.registrationLabel(of: registration.deployment),
      ItemIdentity.registration(of: registration.deployment)
    ) { () throws(MalformedInput) in try registration.payload() }
  }

  package func removeRegistration(of deployment: Deployment) throws(StoreError) {
    for item in try search(.client, deployment) {
      try reading { service throws(SecretServiceError) in try service.delete(item) }
    }
  }

  package func unlock(timeoutSeconds seconds: Int) throws(StoreError) {
    try reading { service throws(SecretServiceError) in try service.unlock(timeoutSeconds: seconds)
    }
  }

  func connected() throws(SecretServiceError) -> SecretService {
    if let openService { return openService }
    let service = try SecretService()
    openService = service
    return service
  }

  /// The one place where the library's refusals become ours.
  func reading<Value>(
    _ body: (SecretService) throws(SecretServiceError) -> Value
  ) throws(StoreError) -> Value {
    do throws(SecretServiceError) {
      return try body(connected())
    } catch {
      // The service may have died; its successor is another peer on the bus.
      if error.isOfService { openService = nil }
      throw StoreError(error)
    }
  }

  private func search(
    _ kind: Kind, _ deployment: Deployment?, attributesOnly: Bool = false
  ) throws(StoreError) -> [Item] {
    let items = try reading { service throws(SecretServiceError) in
      try service.search(
        Attributes(
          kind == .session
            ? ItemIdentity.session(of: deployment) : ItemIdentity.registration(of: deployment)),
        attributesOnly: attributesOnly)
    }
    trace("the keyring holds \(items.count) \(kind.rawValue) items of \(deployment?.url ?? "all")")
    return items
  }

  private func content(
    of item: Item, _ secret: Result<Secret, SecretServiceError>
  ) -> SessionEntry.Content {
    do throws(MalformedInput) {
      switch secret {
      case .success(let secret):
        let deployment = try Deployment(url: item.deployment)
        return .session(
          try StoredSession(payload: secret, deployment: deployment, account: item.account))
      case .failure(.malformed(let reason)): return .unreadable(.payload(reason: reason))
      case .failure: return .locked
      }
    } catch {
      return .unreadable(error)
    }
  }

  private func secret(of item: Item) throws(StoreError) -> Secret {
    do throws(SecretServiceError) {
      return try connected().secret(of: item)
    } catch .malformed(let reason) {
      throw .unreadable(label: item.label, .payload(reason: reason))
    } catch {
      throw StoreError(error)
    }
  }

  private func store(
    label: String, _ attributes: [String: String], payload: () throws(MalformedInput) -> Secret
  ) throws(StoreError) {
    let secret: Secret
    do throws(MalformedInput) { secret = try payload() } catch { throw .unwritable(error) }
    try reading { service throws(SecretServiceError) in
      try service.store(secret, label: label, attributes: Attributes(attributes))
    }
    trace("the keyring keeps “\(label)”")
  }
}

extension Item {
  fileprivate var deployment: String { attributes["deployment"] ?? "" }
  fileprivate var account: String { attributes["account"] ?? "" }
}

extension SecretServiceError {
  /// Whether the service itself is in trouble, rather than an item.
  fileprivate var isOfService: Bool {
    switch self {
    case .unavailable, .timedOut: true
    default: false
    }
  }
}

extension StoreError {
  fileprivate init(_ error: SecretServiceError) {
    switch error {
    case .unavailable(let reason): self = .unavailable(reason)
    case .locked, .promptRequired: self = .locked
    case .dismissed: self = .dismissed
    case .timedOut: self = .timedOut
    case .noSuchItem: self = .failed("the item is no longer there")
    case .malformed(let reason): self = .failed(reason)
    }
  }
}
