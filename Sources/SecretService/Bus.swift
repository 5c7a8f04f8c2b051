internal import CSecret

/// One private connection to a session bus, and the program that owns `org.freedesktop.secrets` on
/// it when we came: every call goes to that one, never to a successor.
final class Bus {
  static let secrets = "org.freedesktop.secrets"

  let connection: OpaquePointer
  /// The unique name of the service.
  private(set) var owner = ""
  let timeoutSeconds: Int

  /// Connects, and starts the service if the bus knows how.
  ///
  /// - Throws: `unavailable`, or `timedOut` for a bus that accepts and never answers.
  init(address: String?, timeoutSeconds: Int) throws(SecretServiceError) {
    self.timeoutSeconds = timeoutSeconds
    let known = if let address { address } else { try Self.sessionAddress() }
    connection = try Self.connect(known, timeoutSeconds: timeoutSeconds)
    // Our own connection never ends the process, unlike GLib's shared one.
    g_dbus_connection_set_exit_on_close(connection, 0)
    do throws(SecretServiceError) {
      owner = try nameOwner()
    } catch .unavailable {
      _ = try callBus("StartServiceByName", [.string(Self.secrets), .uint32(0)], reply: "(u)")
      owner = try nameOwner()
    }
  }

  deinit {
    g_dbus_connection_close_sync(connection, nil, nil)
    g_object_unref(UnsafeMutableRawPointer(connection))
  }

  var isClosed: Bool { g_dbus_connection_is_closed(connection) != 0 }

  /// Calls the service and waits for the answer, at most ``timeoutSeconds``.
  func call(
    _ path: String, _ interface: String, _ method: String, _ arguments: [Variant], reply: String,
    milliseconds: Int? = nil
  ) throws(SecretServiceError) -> Variant {
    try send(
      owner, path, interface, method, arguments, reply: reply,
      milliseconds: milliseconds ?? timeoutSeconds * 1000)
  }

  private func nameOwner() throws(SecretServiceError) -> String {
    try callBus("GetNameOwner", [.string(Self.secrets)], reply: "(s)")[0].text ?? ""
  }

  /// Calls the bus itself.
  func callBus(
    _ method: String, _ arguments: [Variant], reply: String
  ) throws(SecretServiceError) -> Variant {
    try send(
      "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method, arguments,
      reply: reply, milliseconds: timeoutSeconds * 1000)
  }

  private func send(
    _ name: String, _ path: String, _ interface: String, _ method: String,
    _ arguments: [Variant], reply: String, milliseconds: Int
  ) throws(SecretServiceError) -> Variant {
    let type = g_variant_type_new(reply)
    defer { g_variant_type_free(type) }
    var error: UnsafeMutablePointer<GError>?
    let body = Variant.tuple(arguments)
    let answer = withExtendedLifetime(body) {
      g_dbus_connection_call_sync(
        connection, name, path, interface, method, body.pointer, type,
        G_DBUS_CALL_FLAGS_NO_AUTO_START, Int32(clamping: max(1, milliseconds)), nil, &error)
    }
    guard let answer else { throw SecretServiceError(consuming: error) }
    return Variant(taking: answer)
  }
}

/// Connecting.
extension Bus {
  private static func sessionAddress() throws(SecretServiceError) -> String {
    var error: UnsafeMutablePointer<GError>?
    guard let text = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SESSION, nil, &error) else {
      // "Cannot autolaunch D-Bus without X11 $DISPLAY" and its kin.
      throw SecretServiceError(consuming: error)
    }
    defer { g_free(text) }
    return String(cString: text)
  }

  /// What the callback of a connection that is being made leaves for whoever waits.
  private final class Outcome {
    var isThere = false
    var connection: OpaquePointer?
    var error: UnsafeMutablePointer<GError>?
  }

  /// Asynchronous inside, because the handshake has no timeout of its own.
  private static func connect(
    _ address: String, timeoutSeconds: Int
  ) throws(SecretServiceError) -> OpaquePointer {
    let outcome = Outcome()
    let cancel = g_cancellable_new()
    defer { g_object_unref(cancel) }
    let patience = MainContextWait(seconds: timeoutSeconds)
    g_dbus_connection_new_for_address(
      address,
      GDBusConnectionFlags(
        G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT.rawValue
          | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION.rawValue),
      nil, cancel,
      { _, result, data in
        guard let data else { return }
        let outcome = Unmanaged<Outcome>.fromOpaque(data).takeRetainedValue()
        outcome.connection = g_dbus_connection_new_for_address_finish(result, &outcome.error)
        outcome.isThere = true
      },
      Unmanaged.passRetained(outcome).toOpaque())
    guard patience.wait(until: { outcome.isThere }) else {
      g_cancellable_cancel(cancel)
      throw .timedOut
    }
    guard let connection = outcome.connection else {
      let error = SecretServiceError(consuming: outcome.error)
      // An address that is not one leads to no bus either.
      if case .malformed(let reason) = error { throw .unavailable(reason: reason) }
      throw error
    }
    return connection
  }
}
