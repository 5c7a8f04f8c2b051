internal import CSecret
public import Secrets

/// Reading secrets.
extension SecretService {
  /// The longest secret that is read or written, in bytes of UTF-8.
  public static let longestSecret = 65_536

  /// The secret of one item; empty when the service lost it.
  ///
  /// - Parameters:
  ///   - item: whose secret.
  ///   - encrypted: whether the key exchange, half of the time that reading takes, is worth it, so that
  ///     who listens to the bus does not see it.
  /// - Returns: the secret.
  /// - Throws: `locked`, `confirmationRequired`, `dismissed`, `promptUnanswered`, `noSuchItem` for an
  ///   item deleted meanwhile, `malformed` when it is not UTF-8 or longer than ``longestSecret``,
  ///   `brokenSession`, `serviceGone`, `timedOut`.
  public func secret(
    of item: Item, encrypted: Bool = true
  ) throws(SecretServiceError) -> Secret {
    try operation { connection throws(SecretServiceError) in
      let path = try path(of: item, connection)
      return try unlocking(path, connection) { () throws(SecretServiceError) in
        let session = try encrypted ? nil : connection.openPlainSession()
        guard let session else { return try connection.secret(path) }
        return try connection.plainSecret(path, over: session)
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
  ) throws(SecretServiceError) -> [Outcome<Secret>] {
    var results: [Outcome<Secret>] = []
    results.reserveCapacity(items.count)
    // Bounded batches keep memory flat however many items there are.
    for start in stride(from: 0, to: items.count, by: 64) {
      try appendSecrets(of: items[start..<min(start + 64, items.count)], to: &results)
    }
    return results
  }

  private func appendSecrets(
    of items: ArraySlice<Item>, to results: inout [Outcome<Secret>]
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
        case .accessDenied, .serviceGone, .timedOut, .noService, .noBus, .busUnreachable,
          .libraryUnusable:
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
      let service = try service()
      _ = try loop.call(keyExchange()) { secret_service_ensure_session_finish(service, $0, &$1) }
    } catch {
      switch error {
      case .timedOut, .serviceGone, .accessDenied, .libraryUnusable: throw error
      default: throw .brokenSession(reason: error.reason)
      }
    }
  }

  /// What starts the key exchange.
  func keyExchange() throws(SecretServiceError) -> CallLoop.Start {
    let service = try service()
    return { secret_service_ensure_session(service, $0, $1, $2) }
  }

  /// The secret of an item, as text.
  func secret(_ path: String) throws(SecretServiceError) -> Secret {
    try openSession()
    let service = try service()
    guard let session = secret_service_get_session_dbus_path(service) else {
      throw .brokenSession(reason: "the session has no path")
    }
    let call = getSecret(of: path, over: String(cString: session))
    let encoded = try Self.encodedSecret(in: replies(to: [call])[0])
    defer { g_variant_unref(encoded) }
    guard let value = secret_service_decode_dbus_secret(service, encoded) else {
      throw .brokenSession(reason: "the secret cannot be decrypted")
    }
    defer { secret_value_unref(UnsafeMutableRawPointer(value)) }
    return try text(of: value)
  }

  /// Opens a D-Bus session without encryption, once.
  ///
  /// - Returns: its path; nil where the service has no such sessions.
  func openPlainSession() throws(SecretServiceError) -> String? {
    if plainSession == nil, let call = openSessionCall.first {
      try takeSession(from: try replies(to: [call])[0])
    }
    return plainSession
  }

  /// What opens a D-Bus session without encryption.
  var openSessionCall: [BusCall] {
    let openSession = method(
      "OpenSession", of: "/org/freedesktop/secrets", "org.freedesktop.Secret.Service",
      reply: "(vo)")
    guard let input = g_variant_new_variant(g_variant_new_string("")) else { return [] }
    return [(openSession, [.string("plain"), .other(input)])]
  }

  /// Keeps the D-Bus session that was opened, if the service has such sessions; frees the reply.
  func takeSession(
    from reply: Outcome<OpaquePointer?>
  ) throws(SecretServiceError) {
    do throws(SecretServiceError) {
      guard let opened = try reply.get() else { return }
      defer { g_variant_unref(opened) }
      // The output of `plain` is an empty string; KWallet sends an empty array of bytes.
      switch Value(firstOf: opened) {
      case .string(""), .list(count: 0): plainSession = Self.text(at: 1, of: opened)
      default: return
      }
    } catch {
      switch error {
      case .timedOut, .serviceGone, .accessDenied: throw error
      default: return
      }
    }
  }

  /// The secret of an item over a D-Bus session without encryption.
  func plainSecret(_ path: String, over session: String) throws(SecretServiceError) -> Secret {
    try plainSecret(in: replies(to: [getSecret(of: path, over: session)])[0], over: session)
  }

  /// Asks for the secret of the item itself, which tells why a secret cannot be had; of several, the
  /// service leaves those out.
  func getSecret(of path: String, over session: String) -> BusCall {
    let method = method("GetSecret", of: path, Item.interface, reply: "((oayays))")
    return (method, [.objectPath(session)])
  }

  /// The secret in the reply to `GetSecret` over a D-Bus session without encryption; frees the reply.
  func plainSecret(
    in reply: Outcome<OpaquePointer?>, over session: String
  ) throws(SecretServiceError) -> Secret {
    let encoded = try Self.encodedSecret(in: reply)
    defer { g_variant_unref(encoded) }
    let (parameters, value) = (
      g_variant_get_child_value(encoded, 1), g_variant_get_child_value(encoded, 2)
    )
    defer {
      g_variant_unref(parameters)
      g_variant_unref(value)
    }
    guard Self.text(at: 0, of: encoded) == session, g_variant_n_children(parameters) == 0 else {
      throw .brokenSession(reason: "the secret is of another session, or encrypted")
    }
    var count: gsize = 0
    let start = g_variant_get_fixed_array(value, &count, 1)
    return try text(of: UnsafeRawBufferPointer(start: start, count: Int(count)))
  }

  /// The secret of an item as it comes, `(oayays)`, for the caller to free, in a reply, which is freed.
  private static func encodedSecret(
    in reply: Outcome<OpaquePointer?>
  ) throws(SecretServiceError) -> OpaquePointer {
    guard let reply = try reply.get() else { throw .noSuchItem }
    defer { g_variant_unref(reply) }
    return g_variant_get_child_value(reply, 0)
  }

  /// A text or path within a value of several.
  private static func text(at index: gsize, of values: OpaquePointer) -> String {
    let value = g_variant_get_child_value(values, index)
    defer { g_variant_unref(value) }
    return String(cString: g_variant_get_string(value, nil))
  }

  /// The secrets of many items by their paths, without those that cannot be had.
  func secrets(_ paths: [String]) throws(SecretServiceError) -> [String: Secret] {
    guard !paths.isEmpty else { return [:] }
    try openSession()
    let service = try service()
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

  private func text(of value: OpaquePointer) throws(SecretServiceError) -> Secret {
    var length: gsize = 0
    let start = secret_value_get(value, &length)
    return try text(of: UnsafeRawBufferPointer(start: start, count: Int(length)))
  }

  private func text(of bytes: UnsafeRawBufferPointer) throws(SecretServiceError) -> Secret {
    guard bytes.count <= SecretService.longestSecret else {
      throw .malformed(reason: "the secret is longer than \(SecretService.longestSecret) bytes")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      // With KWallet, keys that do not match may look as if they did.
      if quirks.wallet != nil { throw .brokenSession(reason: "the secret is not UTF-8") }
      throw .malformed(reason: "the secret is not UTF-8")
    }
    return Secret(text)
  }
}
