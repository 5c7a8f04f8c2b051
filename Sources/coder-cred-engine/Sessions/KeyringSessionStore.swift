import Credentials
import SecretService
import Secrets

/// The sessions and clients in the desktop's Secret Service, two kinds of item.
///
/// Attributes are identity only and never change; everything else is in the payload. A set of
/// attributes is always written whole, and none is a subset of another, because CreateItem
/// replaces any item that contains what it is given.
final class KeyringSessionStore: SessionStore {
  private enum Kind: String {
    case session
    case client
  }

  private let service: SecretService
  private let trace: Trace

  init(trace: Trace) throws(StoreError) {
    self.trace = trace
    service = try reading { () throws(SecretServiceError) in try SecretService() }
  }

  func sessions(of deployment: Deployment, account: String?) throws(StoreError) -> [StoredSession] {
    let items = try search(.session, deployment).filter { item in
      account.map { item.account == $0 || item.account.isEmpty } ?? true
    }
    return try items.map { item throws(StoreError) in
      let secret = try secret(of: item)
      do throws(MalformedInput) {
        return try StoredSession(payload: secret, deployment: deployment, account: item.account)
      } catch {
        throw .unreadable(label: item.label, error)
      }
    }
  }

  func deploymentsWithClient() throws(StoreError) -> [String] {
    try search(.client, nil).map(\.deployment)
  }

  func entries(of deployment: Deployment?) throws(StoreError) -> [SessionEntry] {
    let items = try search(.session, deployment)
    // Together: a call for each would take as long again as finding them.
    let secrets = try reading { () throws(SecretServiceError) in try service.secrets(of: items) }
    return zip(items, secrets).map { item, secret in
      SessionEntry(
        deployment: item.deployment, account: item.account, content: content(of: item, secret))
    }
  }

  func save(_ session: StoredSession) throws(StoreError) {
    let who = session.account.isEmpty ? "" : "\(session.account) @ "
    try store(
      label: "\(session.method.label): \(who)\(session.deployment.name)",
      attributes(.session, session.deployment, account: session.account)
    ) { () throws(MalformedInput) in try session.payload() }
  }

  func removeSessions(of deployment: Deployment, account: String?) throws(StoreError) {
    for item in try search(.session, deployment)
    where account.map({ item.account == $0 }) ?? true {
      try reading { () throws(SecretServiceError) in try service.delete(item) }
    }
  }

  func client(of deployment: Deployment) throws(StoreError) -> StoredRegistration? {
    guard let item = try search(.client, deployment).first else { return nil }
    let secret = try secret(of: item)
    do throws(MalformedInput) {
      return try StoredRegistration(payload: secret, deployment: deployment)
    } catch {
      throw .unreadable(label: item.label, error)
    }
  }

  func save(_ client: StoredRegistration) throws(StoreError) {
    try store(
      label: "Coder OAuth client: \(client.deployment.name)",
      attributes(.client, client.deployment)
    ) { () throws(MalformedInput) in try client.payload() }
  }

  func removeClient(of deployment: Deployment) throws(StoreError) {
    for item in try search(.client, deployment) {
      try reading { () throws(SecretServiceError) in try service.delete(item) }
    }
  }

  func unlock(within seconds: Int) throws(StoreError) {
    service.prompts = .ask(timeoutSeconds: seconds)
    defer { service.prompts = .never }
    try reading { () throws(SecretServiceError) in try service.unlock() }
  }

  private func search(
    _ kind: Kind, _ deployment: Deployment?
  ) throws(StoreError) -> [Item] {
    let items = try reading { () throws(SecretServiceError) in
      try service.search(attributes(kind, deployment))
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
      return try service.secret(of: item)
    } catch .malformed(let reason) {
      throw .unreadable(label: item.label, .payload(reason: reason))
    } catch {
      throw StoreError(error)
    }
  }

  private func store(
    label: String, _ attributes: Attributes, payload: () throws(MalformedInput) -> Secret
  ) throws(StoreError) {
    let secret: Secret
    do throws(MalformedInput) { secret = try payload() } catch { throw .unwritable(error) }
    try reading { () throws(SecretServiceError) in
      try service.store(secret, label: label, attributes: attributes)
    }
    trace("the keyring keeps “\(label)”")
  }

  private func attributes(
    _ kind: Kind, _ deployment: Deployment?, account: String? = nil
  ) -> Attributes {
    var values = ["application": "coder-cred", "kind": kind.rawValue]
    values["deployment"] = deployment?.url
    values["account"] = account
    return Attributes(values)
  }
}

extension Item {
  fileprivate var deployment: String { attributes["deployment"] ?? "" }
  fileprivate var account: String { attributes["account"] ?? "" }
}

extension StoredSession.Method {
  /// How people's keyring applications name such an item.
  fileprivate var label: String {
    switch self {
    case .oauth, .token: "Coder session"
    case .basic: "Password"
    }
  }
}

/// The one place where the library's refusals become ours.
private func reading<Value>(
  _ body: () throws(SecretServiceError) -> Value
) throws(StoreError) -> Value {
  do throws(SecretServiceError) {
    return try body()
  } catch {
    throw StoreError(error)
  }
}

extension StoreError {
  fileprivate init(_ error: SecretServiceError) {
    switch error {
    case .noBus: self = .unavailable("there is no session bus")
    case .busUnreachable(_, let reason, _), .noService(let reason), .accessDenied(let reason),
      .serviceGone(let reason):
      self = .unavailable(reason)
    case .foreignBus: self = .unavailable("the session bus is another user's")
    case .noDefaultCollection: self = .unavailable("there is no default keyring")
    case .locked, .confirmationRequired: self = .locked
    case .dismissed: self = .dismissed
    case .timedOut, .promptUnanswered: self = .timedOut
    case .noSuchItem: self = .failed("the item is no longer there")
    case .malformed(let reason), .brokenSession(let reason), .failed(let reason):
      self = .failed(reason)
    }
  }
}
