internal import CSecret
public import Secrets

/// Writing and deleting.
extension SecretService {
  /// Writes the item with exactly these attributes: where it stands, in whatever collection, or, when
  /// there is none, as a new one of the default collection.
  ///
  /// Items of other schemas, even with the same attributes, are left alone. The service is never
  /// asked to replace anything: what it would replace differs from one to the next.
  ///
  /// - Parameters:
  ///   - secret: what to keep, at most ``longestSecret`` bytes.
  ///   - label: what key managers show.
  ///   - attributes: what it is found by.
  ///   - others: what the items that `isMeant` is handed have at least; nil for all of `attributes`.
  ///   - readsSecrets: whether `isMeant` is handed ``Item/secret``, read without encryption.
  ///   - isMeant: whether to write, in view of the items that were found, in the order of
  ///     ``search(_:)``, and of the one of them that is to be written; with nil, a new one is made. It may
  ///     be called again, when the connection to the service had to be made anew.
  /// - Returns: whether it was written.
  /// - Throws: what `isMeant` throws; `noDefaultCollection`, `locked`, `confirmationRequired`, `dismissed`,
  ///   `promptUnanswered`, `brokenSession`, `accessDenied`, `serviceGone`, `timedOut`; `malformed` for
  ///   an empty set, a NUL in attributes or label, a secret longer than ``longestSecret`` or one that
  ///   the service refuses.
  @discardableResult
  public func store(
    _ secret: Secret, label: String, attributes: Attributes, among others: Attributes? = nil,
    readsSecrets: Bool = false,
    when isMeant: ([Item], Item?) throws(SecretServiceError) -> Bool = { _, _ in true }
  ) throws(SecretServiceError) -> Bool {
    try attributes.requireSearchable()
    let value = try SecretText(secret, label: label)
    return try operation { connection throws(SecretServiceError) in
      let searched = [others ?? attributes]
      let (collection, paths) = try find(
        searched, connection,
        preparing: readsSecrets ? [.plainSession, .keyExchange] : .keyExchange)
      let found = try connection.listedItems(
        paths, asked: searched, toldApartBy: Array(attributes.values.keys),
        readsSecrets: readsSecrets)[0]
      let ours = found.filter { $0.attributes == attributes && $0.schema == Self.schema }
      guard try isMeant(found, ours.first) else { return false }
      if let item = ours.first {
        try write(value, label, to: item.path, connection)
        removeTwins(ours.dropFirst(), connection)
      } else {
        guard let collection else { throw .noDefaultCollection }
        guard !collection.isLocked else { throw .locked(collection: collection.label) }
        do throws(SecretServiceError) {
          try create(value, label: label, attributes: attributes, in: collection, connection)
        } catch {
          throw connection.quirks.wallet == nil
            ? error : afterFailedCreate(of: attributes, error, connection)
        }
      }
      return true
    }
  }

  /// Writes secret and label of an item that was found.
  ///
  /// - Throws: `noSuchItem`; else as ``store(_:label:attributes:)``.
  public func write(
    _ secret: Secret, label: String, to item: Item
  ) throws(SecretServiceError) {
    let value = try SecretText(secret, label: label)
    try operation { connection throws(SecretServiceError) in
      let path = try path(of: item, connection)
      try write(value, label, to: path, connection)
    }
  }

  /// Deletes one item.
  ///
  /// - Throws: `noSuchItem`, `locked`, `confirmationRequired`, `dismissed`, `promptUnanswered`,
  ///   `accessDenied`, `serviceGone`, `timedOut`.
  public func delete(_ item: Item) throws(SecretServiceError) {
    try operation { connection throws(SecretServiceError) in
      let path = try path(of: item, connection)
      do throws(SecretServiceError) {
        try delete(path, connection) { () throws(SecretServiceError) in
          permission(to: .changing(item: try connection.label(of: path)))
        }
      } catch .locked {
        throw try reasonForLock(path, connection)
      } catch .confirmationRequired {
        throw try reasonForLock(path, connection)
      }
      try writeWallet(of: path, connection)
    }
  }

  /// Two processes that store at once may both create an item: the next one that stores leaves one.
  ///
  /// Best effort, and silent: a twin that stays is written instead of this one some day, or removed.
  private func removeTwins(_ twins: ArraySlice<Item>, _ connection: ServiceConnection) {
    for twin in twins where !twin.isLocked { try? delete(twin.path, connection) { nil } }
  }

  private func delete(
    _ path: String, _ connection: ServiceConnection,
    asking permission: () throws(SecretServiceError) -> Prompter.Permission?
  ) throws(SecretServiceError) {
    let delete = connection.method("Delete", of: path, Item.interface, reply: "(o)")
    guard case .objectPath(let prompt) = try connection.call(delete, []), prompt != "/" else {
      return
    }
    let service = try connection.service()
    connection.prompter.permission = try permission()
    defer { connection.prompter.permission = nil }
    let result = try loop.call({
      secret_service_prompt_at_dbus_path(service, prompt, nil, $0, $1, $2)
    }) { secret_service_prompt_at_dbus_path_finish(service, $0, &$1) }
    if let result { g_variant_unref(result) }
  }

  /// Writes secret and label of the item at a path.
  private func write(
    _ value: SecretText, _ label: String, to path: String, _ connection: ServiceConnection
  ) throws(SecretServiceError) {
    try connection.openSession()
    try unlocking(path, connection) { () throws(SecretServiceError) in
      let former = try connection.setSecret(value.pointer, of: path)
      if former != label { try connection.setLabel(label, of: path) }
    }
    try requireWritten(value, path, connection)
    try writeWallet(of: path, connection)
  }

  private func create(
    _ value: SecretText, label: String, attributes: Attributes, in collection: Collection,
    _ connection: ServiceConnection
  ) throws(SecretServiceError) {
    try connection.openSession()
    // The collection is open: a prompt asks nothing, or what the person set it to ask.
    connection.prompter.permission = formality(.changing(item: label))
    defer { connection.prompter.permission = nil }
    let service = try connection.service()
    let made = try loop.call({ cancellable, callback, data in
      attributes.withTable(schema: Self.schema) {
        csecret_create_item(
          service, collection.path, $0, label, value.pointer, cancellable, callback, data
        )
      }
    }) { (result, error) -> String? in
      let path = secret_service_create_item_dbus_path_finish(service, result, &error)
      defer { g_free(path) }
      return path.map { String(cString: $0) }
    }
    guard let path = made, path != "/" else { throw .failed(reason: "the service made no item") }
    try requireWritten(value, path, connection)
    try writeWallet(of: path, connection)
  }

  /// KWallet makes an item before it looks for the D-Bus session of the secret, and does not find one in
  /// two hundred: then the item stays, empty, as if its secret had been lost.
  ///
  /// - Returns: a broken session, which is worth more tries, if an empty item was removed; else the error.
  private func afterFailedCreate(
    of attributes: Attributes, _ error: SecretServiceError, _ connection: ServiceConnection
  ) -> SecretServiceError {
    guard case .failed(let reason) = error, let session = try? connection.openPlainSession(),
      let found = try? connection.items(with: attributes)
    else { return error }
    var isRemoved = false
    for item in found where item.attributes == attributes && item.schema == Self.schema {
      guard !item.isLocked,
        (try? connection.plainSecret(item.path, over: session))?.isEmpty == true,
        (try? delete(item.path, connection) { nil }) != nil
      else { continue }
      isRemoved = true
    }
    return isRemoved ? .brokenSession(reason: reason) : error
  }

  /// KWallet may take what was encrypted with a key that it does not have for something else: what
  /// was written is read again.
  private func requireWritten(
    _ value: SecretText, _ path: String, _ connection: ServiceConnection
  ) throws(SecretServiceError) {
    guard connection.quirks.wallet != nil else { return }
    guard try connection.secret(path) == value.secret else {
      throw .brokenSession(reason: "the service has written something else")
    }
  }

  /// Has a KWallet write its file now.
  private func writeWallet(
    of path: String, _ connection: ServiceConnection
  ) throws(SecretServiceError) {
    guard let wallet = connection.quirks.wallet else { return }
    try wallet.write(try connection.collection(holding: path).label, on: connection)
  }
}

/// libsecret writes only through an object that watches the item: seven calls more.
extension ServiceConnection {
  /// Writes the secret of an item, and reads its label in the same round.
  ///
  /// - Returns: the label; empty where the service does not tell.
  fileprivate func setSecret(
    _ value: OpaquePointer, of path: String
  ) throws(SecretServiceError) -> String {
    guard let encoded = secret_service_encode_dbus_secret(try service(), value) else {
      throw .brokenSession(reason: "the secret cannot be encrypted")
    }
    let setSecret = method("SetSecret", of: path, Item.interface, reply: "()")
    let replies = try call([(setSecret, [.other(encoded)]), get("Label", of: path, Item.interface)])
    _ = try replies[0].get()
    return if case .success(.string(let label)) = replies[1] { label } else { "" }
  }

  fileprivate func setLabel(_ label: String, of path: String) throws(SecretServiceError) {
    let set = method("Set", of: path, "org.freedesktop.DBus.Properties", reply: "()")
    guard let value = g_variant_new_variant(g_variant_new_string(label)) else { return }
    _ = try call(set, [.string(Item.interface), .string("Label"), .other(value)])
  }
}

/// A secret in libsecret's memory, which is never paged out.
private final class SecretText {
  let secret: Secret
  let pointer: OpaquePointer

  init(_ secret: Secret, label: String) throws(SecretServiceError) {
    guard !label.utf8.contains(0) else { throw .malformed(reason: "the label holds a NUL") }
    var text = secret.revealed
    guard text.utf8.count <= SecretService.longestSecret else {
      throw .malformed(reason: "the secret is longer than \(SecretService.longestSecret) bytes")
    }
    try SecretLibrary.load()
    let value = text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        secret_value_new($0.baseAddress, gssize($0.count), "text/plain")
      }
    }
    guard let value else { throw .malformed(reason: "libsecret refused the secret") }
    self.secret = secret
    pointer = value
  }

  deinit {
    secret_value_unref(UnsafeMutableRawPointer(pointer))
  }
}
