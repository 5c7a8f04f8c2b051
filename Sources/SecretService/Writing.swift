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
  /// - Throws: `noDefaultCollection`, `locked`, `confirmationRequired`, `dismissed`,
  ///   `promptUnanswered`, `brokenSession`, `accessDenied`, `serviceGone`, `timedOut`; `malformed` for
  ///   an empty set, a NUL in attributes or label, a secret longer than ``longestSecret`` or one that
  ///   the service refuses.
  public func store(
    _ secret: Secret, label: String, attributes: Attributes
  ) throws(SecretServiceError) {
    try attributes.requireSearchable()
    let value = try SecretText(secret, label: label)
    try operation { connection throws(SecretServiceError) in
      let collection = try requireSearchable(connection)
      let found = try connection.items(with: attributes).filter {
        $0.attributes == attributes && $0.schema == Self.schema
      }
      if let item = found.first {
        try write(value, label: label, to: item.path, connection)
        removeTwins(found.dropFirst(), connection)
      } else {
        guard let collection else { throw .noDefaultCollection }
        guard !collection.isLocked else { throw .locked(collection: collection.label) }
        try create(value, label: label, attributes: attributes, in: collection, connection)
      }
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
      try write(value, label: label, to: try path(of: item, connection), connection)
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
        try delete(path, permission(to: .changing(item: item.label)), connection)
      } catch .locked {
        throw try reasonForLock(path, item.label, connection)
      } catch .confirmationRequired {
        throw try reasonForLock(path, item.label, connection)
      }
      try writeWallet(of: path, connection)
    }
  }

  /// Two processes that store at once may both create an item: the next one that stores leaves one.
  ///
  /// Best effort, and silent: a twin that stays is written instead of this one some day, or removed.
  private func removeTwins(_ twins: ArraySlice<Item>, _ connection: ServiceConnection) {
    for twin in twins where !twin.isLocked { try? delete(twin.path, nil, connection) }
  }

  private func delete(
    _ path: String, _ permission: Prompter.Permission?, _ connection: ServiceConnection
  ) throws(SecretServiceError) {
    connection.prompter.permission = permission
    defer { connection.prompter.permission = nil }
    _ = try loop.call({
      secret_service_delete_item_dbus_path(connection.service, path, $0, $1, $2)
    }) { secret_service_delete_item_dbus_path_finish(connection.service, $0, &$1) }
  }

  private func write(
    _ value: SecretText, label: String, to path: String, _ connection: ServiceConnection
  ) throws(SecretServiceError) {
    try connection.openSession()
    try unlocking(path, label: label, connection) { () throws(SecretServiceError) in
      try connection.withItem(path) { item throws(SecretServiceError) in
        _ = try loop.call({ secret_item_set_secret(item, value.pointer, $0, $1, $2) }) {
          secret_item_set_secret_finish(item, $0, &$1)
        }
        let former = secret_item_get_label(item)
        defer { g_free(former) }
        guard former.map({ String(cString: $0) }) != label else { return }
        _ = try loop.call({ secret_item_set_label(item, label, $0, $1, $2) }) {
          secret_item_set_label_finish(item, $0, &$1)
        }
      }
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
    let item = try loop.call({ cancellable, callback, data in
      attributes.withTable(schema: Self.schema) {
        csecret_create_item(
          collection.pointer, $0, label, value.pointer, cancellable, callback, data)
      }
    }) { secret_item_create_finish($0, &$1) }
    guard let item else { throw .failed(reason: "the service made no item") }
    defer { g_object_unref(item) }
    let path = item.withMemoryRebound(to: GDBusProxy.self, capacity: 1) {
      String(cString: g_dbus_proxy_get_object_path($0))
    }
    try requireWritten(value, path, connection)
    try writeWallet(of: path, connection)
  }

  /// KWallet may take what was encrypted with a key that it does not have for something else: what
  /// was written is read again.
  private func requireWritten(
    _ value: SecretText, _ path: String, _ connection: ServiceConnection
  ) throws(SecretServiceError) {
    guard try connection.quirks.get().wallet != nil else { return }
    guard try connection.secret(path) == value.secret else {
      throw .brokenSession(reason: "the service has written something else")
    }
  }

  /// Has a KWallet write its file now.
  private func writeWallet(
    of path: String, _ connection: ServiceConnection
  ) throws(SecretServiceError) {
    guard let wallet = try connection.quirks.get().wallet else { return }
    guard let collection = try connection.collection(holding: path) else { return }
    try wallet.write(collection.label, on: connection)
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
