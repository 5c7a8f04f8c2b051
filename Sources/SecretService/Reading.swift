internal import CSecret
public import Secrets

/// Reading secrets.
extension SecretService {
  /// The longest secret that is read or written, in bytes of UTF-8.
  public static let longestSecret = 65_536

  /// The secret of one item; empty when the service lost it.
  ///
  /// - Throws: `locked`, `confirmationRequired`, `dismissed`, `promptUnanswered`, `noSuchItem` for an
  ///   item deleted meanwhile, `malformed` when it is not UTF-8 or longer than ``longestSecret``,
  ///   `brokenSession`, `serviceGone`, `timedOut`.
  public func secret(of item: Item) throws(SecretServiceError) -> Secret {
    try operation { connection throws(SecretServiceError) in
      let path = try path(of: item, connection)
      return try unlocking(path, label: item.label, connection) { () throws(SecretServiceError) in
        try connection.secret(path)
      }
    }
  }

  /// The secrets of many items, in the order given, with one call for every 64 of them.
  ///
  /// One that cannot be read is that item's failure, not everyone's; as for ``secret(of:)``.
  ///
  /// - Throws: `accessDenied`, `serviceGone`, `timedOut`.
  public func secrets(
    of items: [Item]
  ) throws(SecretServiceError) -> [Result<Secret, SecretServiceError>] {
    var results: [Result<Secret, SecretServiceError>] = []
    results.reserveCapacity(items.count)
    // Bounded batches keep memory flat however many items there are.
    for start in stride(from: 0, to: items.count, by: 64) {
      try appendSecrets(of: items[start..<min(start + 64, items.count)], to: &results)
    }
    return results
  }

  private func appendSecrets(
    of items: ArraySlice<Item>, to results: inout [Result<Secret, SecretServiceError>]
  ) throws(SecretServiceError) {
    let known: [String: Secret] = try operation { connection throws(SecretServiceError) in
      let paths = items.filter { !$0.isLocked && $0.generation == connection.generation }
        .map(\.path)
      return try connection.secrets(paths)
    }
    for item in items {
      if let secret = known[item.path] {
        results.append(.success(secret))
        continue
      }
      // Alone, for the reason, or for a second try.
      do throws(SecretServiceError) {
        results.append(.success(try secret(of: item)))
      } catch {
        switch error {
        case .accessDenied, .serviceGone, .timedOut, .noService, .noBus, .busUnreachable:
          throw error
        default: results.append(.failure(error))
        }
      }
    }
  }
}

extension ServiceConnection {
  /// Makes sure that secrets can be exchanged; does nothing once they can.
  ///
  /// KWallet refuses one key of a hundred by its size, as an invalid argument.
  func openSession() throws(SecretServiceError) {
    do throws(SecretServiceError) {
      _ = try loop.call({ secret_service_ensure_session(service, $0, $1, $2) }) {
        secret_service_ensure_session_finish(service, $0, &$1)
      }
    } catch {
      switch error {
      case .timedOut, .serviceGone, .accessDenied: throw error
      default: throw .brokenSession(reason: error.reason)
      }
    }
  }

  /// The secret of an item, as text.
  func secret(_ path: String) throws(SecretServiceError) -> Secret {
    try openSession()
    let value = try loop.call({
      secret_service_get_secret_for_dbus_path(service, path, $0, $1, $2)
    }) { secret_service_get_secret_for_dbus_path_finish(service, $0, &$1) }
    guard let value else { return try loadedSecret(path) }
    defer { secret_value_unref(UnsafeMutableRawPointer(value)) }
    return try text(of: value)
  }

  /// The same through the item, which tells why a secret cannot be had: of several, libsecret
  /// leaves those out.
  private func loadedSecret(_ path: String) throws(SecretServiceError) -> Secret {
    try withItem(path) { item throws(SecretServiceError) in
      _ = try loop.call({ secret_item_load_secret(item, $0, $1, $2) }) {
        secret_item_load_secret_finish(item, $0, &$1)
      }
      guard let value = secret_item_get_secret(item) else { throw .noSuchItem }
      defer { secret_value_unref(UnsafeMutableRawPointer(value)) }
      return try text(of: value)
    }
  }

  /// The secrets of many items by their paths, without those that cannot be had.
  func secrets(_ paths: [String]) throws(SecretServiceError) -> [String: Secret] {
    guard !paths.isEmpty else { return [:] }
    try openSession()
    let copies = paths.map { UnsafePointer<CChar>?(g_strdup($0)) }
    defer { for copy in copies { g_free(UnsafeMutableRawPointer(mutating: copy)) } }
    let table: OpaquePointer?
    do throws(SecretServiceError) {
      table = try loop.call({ cancellable, callback, data in
        var list = copies + [nil]
        secret_service_get_secrets_for_dbus_paths(service, &list, cancellable, callback, data)
      }) { secret_service_get_secrets_for_dbus_paths_finish(service, $0, &$1) }
    } catch .locked {
      // KeePassXC: one that is locked spoils it for all.
      return [:]
    } catch .noSuchItem {
      return [:]
    }
    guard let table else { return [:] }
    defer { g_hash_table_unref(table) }
    var secrets: [String: Secret] = [:]
    for (path, copy) in zip(paths, copies) {
      guard let value = g_hash_table_lookup(table, copy) else { continue }
      secrets[path] = try? text(of: OpaquePointer(value))
    }
    return secrets
  }

  /// Makes libsecret's proxy for an item and hands it to `body`.
  func withItem<Value>(
    _ path: String,
    _ body: (UnsafeMutablePointer<SecretItem>) throws(SecretServiceError) -> Value
  ) throws(SecretServiceError) -> Value {
    let item = try loop.call({ csecret_item(service, path, $0, $1, $2) }) {
      secret_item_new_for_dbus_path_finish($0, &$1)
    }
    guard let item else { throw .noSuchItem }
    defer { g_object_unref(item) }
    return try body(item)
  }

  private func text(of value: OpaquePointer) throws(SecretServiceError) -> Secret {
    var length: gsize = 0
    let start = secret_value_get(value, &length)
    guard length <= gsize(SecretService.longestSecret) else {
      throw .malformed(reason: "the secret is longer than \(SecretService.longestSecret) bytes")
    }
    let bytes = UnsafeRawBufferPointer(start: start, count: Int(length))
    guard let text = String(validating: bytes, as: UTF8.self) else {
      // With KWallet, keys that do not match may look as if they did.
      if try quirks.get().wallet != nil { throw .brokenSession(reason: "the secret is not UTF-8") }
      throw .malformed(reason: "the secret is not UTF-8")
    }
    return Secret(text)
  }
}
