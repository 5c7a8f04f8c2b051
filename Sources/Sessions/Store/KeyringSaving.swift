package import Credentials
import SecretService
import Secrets

/// Writing items: where they stand, and only over what is ours or lost. One search finds what is
/// compared, what is written, and its twins.
extension KeyringSessionStore {
  package func save(_ session: StoredSession) throws(StoreError) {
    try store(session) { _, item throws(StoreError) in
      try requireSession(in: item, like: session)
      return true
    }
  }

  package func replace(
    _ former: StoredSession?, with session: StoredSession
  ) throws(StoreError) -> Bool {
    try store(session) { found, item throws(StoreError) in
      let same = unique(found).filter { $0.account == session.account }
      let stored = try sessions(in: same, session.account) { _ in session.deployment }
      guard stored.sessions.first == former else { return false }
      if item != same.first { try requireSession(in: item, like: session) }
      return true
    }
  }

  package func save(_ registration: StoredRegistration) throws(StoreError) {
    try store(
      label: ItemIdentity.registrationLabel(of: registration.deployment),
      ItemIdentity.registration(of: registration.deployment), among: nil
    ) { () throws(MalformedInput) in
      try registration.payload()
    } when: { _, item throws(StoreError) in
      try requireReplaceable(item) { former throws(MalformedInput) in
        _ = try StoredRegistration(payload: former, deployment: registration.deployment)
      }
      return true
    }
  }

  @discardableResult
  private func store(
    _ session: StoredSession, when isMeant: ([Item], Item?) throws(StoreError) -> Bool
  ) throws(StoreError) -> Bool {
    try store(
      label: ItemIdentity.label(of: session), ItemIdentity.item(of: session),
      among: ItemIdentity.session(of: session.deployment, account: session.account),
      payload: { () throws(MalformedInput) in try session.payload() }, when: isMeant)
  }

  /// Writes an item in place, or a new one, if `isMeant` says so in view of the items that were found
  /// and of the one to write.
  ///
  /// - Parameters:
  ///   - label: what key managers show.
  ///   - identity: the item's attributes.
  ///   - others: what the items that are compared with have at least, and are read with; nil for the
  ///     item's attributes alone.
  ///   - payload: what to keep.
  ///   - isMeant: whether to write.
  /// - Returns: whether it was written.
  /// - Throws: what `isMeant` throws; `unwritable`, `keyring`.
  @discardableResult
  private func store(
    label: String, _ identity: [String: String], among others: [String: String]?,
    payload: () throws(MalformedInput) -> Secret,
    when isMeant: ([Item], Item?) throws(StoreError) -> Bool
  ) throws(StoreError) -> Bool {
    let secret: Secret
    do throws(MalformedInput) { secret = try payload() } catch { throw .unwritable(error) }
    var refusal: StoreError?
    let isWritten = try reading { service throws(SecretServiceError) in
      try service.store(
        secret, label: label, attributes: Attributes(identity), among: others.map(Attributes.init),
        readsSecrets: others != nil
      ) { found, item throws(SecretServiceError) in
        refusal = nil
        do throws(StoreError) {
          return try isMeant(found, item)
        } catch .keyring(let error) {
          // One that was removed meanwhile is searched for again, for example.
          throw error
        } catch {
          refusal = error
          return false
        }
      }
    }
    if let refusal { throw refusal }
    if isWritten { trace("the keyring keeps “\(label)”") }
    return isWritten
  }

  private func requireSession(
    in item: Item?, like session: StoredSession
  ) throws(StoreError) {
    try requireReplaceable(item) { former throws(MalformedInput) in
      _ = try StoredSession(
        payload: former, deployment: session.deployment, account: session.account)
    }
  }

  /// Refuses to write over what `check` throws for.
  private func requireReplaceable(
    _ item: Item?, _ check: (Secret) throws(MalformedInput) -> Void
  ) throws(StoreError) {
    guard let item, !item.isLocked, let former = try secret(of: item) else { return }
    do throws(MalformedInput) { try check(former) } catch { throw unreadable(item, error) }
  }
}
