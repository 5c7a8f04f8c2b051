internal import CGLib
internal import CLinux
internal import Secrets

/// The program that shows notifications, over a connection of our own to the session bus.
final class NotificationServer {
  static let name = "org.freedesktop.Notifications"
  static let path = "/org/freedesktop/Notifications"
  /// The action's key; a click on the notification itself is `default`.
  static let actionKey = "sign-in"

  let connection: OpaquePointer
  /// The context that signals are delivered on, while it is iterated.
  let context: OpaquePointer?

  /// Connects to a bus.
  ///
  /// - Throws: `Unavailable` when the address is not one of Unix sockets, nobody listens there, or
  ///   another user does.
  init(busAddress: String) throws(Notification.Unavailable) {
    // "autolaunch:" would start a bus, "tcp:" would leave the machine.
    let addresses = busAddress.split(separator: ";")
    guard !addresses.isEmpty, addresses.allSatisfy({ $0.hasPrefix("unix:") }) else {
      throw Notification.Unavailable(reason: "there is no session bus at a Unix socket")
    }
    context = g_main_context_new()
    g_main_context_push_thread_default(context)
    var error: UnsafeMutablePointer<GError>?
    guard
      let connection = g_dbus_connection_new_for_address_sync(
        busAddress, cglib_bus_client_flags(), nil, nil, &error)
    else {
      g_main_context_pop_thread_default(context)
      g_main_context_unref(context)
      throw Notification.Unavailable(consuming: error)
    }
    self.connection = connection
    // A stale address may be another user's by now, who would see what we show.
    guard let user = UInt32(exactly: clinux_peer_user(gdbus_socket(connection))),
      LoopbackPeer.isSelfOrRoot(user)
    else { throw Notification.Unavailable(reason: "the session bus belongs to another user") }
    g_dbus_connection_set_exit_on_close(connection, 1)
  }

  deinit {
    // Closing is our own doing, no reason to end.
    g_dbus_connection_set_exit_on_close(connection, 0)
    g_dbus_connection_close_sync(connection, nil, nil)
    g_object_unref(UnsafeMutableRawPointer(connection))
    g_main_context_pop_thread_default(context)
    g_main_context_unref(context)
  }

  /// GetCapabilities: what the server can do.
  func capabilities() throws(Notification.Unavailable) -> Set<String> {
    let reply = try call("GetCapabilities", [], reply: "(as)")
    defer { g_variant_unref(reply) }
    let list = g_variant_get_child_value(reply, 0)
    defer { g_variant_unref(list) }
    guard let list else { return [] }
    return Set((0..<g_variant_n_children(list)).compactMap { String(child: $0, of: list) })
  }

  /// Notify; the server keeps the notification until it is closed.
  ///
  /// - Returns: the notification's id.
  func notify(
    summary: String, body: String, action: String?
  ) throws(Notification.Unavailable) -> UInt32 {
    let actions = action.map { ["default", $0, Self.actionKey, $0] } ?? []
    let reply = try call(
      "Notify",
      [
        string("coder-cred"), g_variant_new_uint32(0), string("dialog-password"), string(summary),
        string(body), array(of: "s", actions.map(string)),
        // Urgency 1: normal. A critical one would interrupt what the person is doing.
        array(of: "{sv}", [hint("urgency", g_variant_new_byte(1))]),
        // The server decides how long it pops up; it stays in its list until we close it.
        g_variant_new_int32(-1),
      ], reply: "(u)")
    defer { g_variant_unref(reply) }
    guard let id = UInt32(child: 0, of: reply) else {
      throw Notification.Unavailable(reason: "Notify returned no id")
    }
    return id
  }

  /// CloseNotification; an error means that it is closed already.
  func close(_ id: UInt32) {
    guard let reply = try? call("CloseNotification", [g_variant_new_uint32(id)], reply: "()")
    else { return }
    g_variant_unref(reply)
  }

  static func escaped(_ text: String) -> String {
    guard let escaped = g_markup_escape_text(text, -1) else { return "" }
    defer { g_free(escaped) }
    return String(cString: escaped)
  }

  /// Calls the server, starting it if the bus knows how, and waits at most ten seconds.
  ///
  /// - Returns: the reply, of the type that was asked for; the caller releases it.
  private func call(
    _ method: String, _ arguments: [OpaquePointer?], reply: String
  ) throws(Notification.Unavailable) -> OpaquePointer {
    let type = g_variant_type_new(reply)
    defer { g_variant_type_free(type) }
    var error: UnsafeMutablePointer<GError>?
    // The new tuple takes the floating arguments, and the call takes the floating tuple.
    let body = g_variant_new_tuple(arguments, gsize(arguments.count))
    let reply = g_dbus_connection_call_sync(
      connection, Self.name, Self.path, Self.name, method, body, type, cglib_call_flags_none(),
      10_000, nil, &error)
    guard let reply else { throw Notification.Unavailable(consuming: error) }
    return reply
  }

  private func string(_ text: String) -> OpaquePointer? { g_variant_new_string(text) }

  private func hint(_ name: String, _ value: OpaquePointer?) -> OpaquePointer? {
    g_variant_new_dict_entry(string(name), g_variant_new_variant(value))
  }

  private func array(of type: String, _ values: [OpaquePointer?]) -> OpaquePointer? {
    let element = g_variant_type_new(type)
    defer { g_variant_type_free(element) }
    return g_variant_new_array(element, values, gsize(values.count))
  }
}

extension Notification.Unavailable {
  /// The one place that reads a `GError`; its text may hold words of the bus.
  init(consuming error: UnsafeMutablePointer<GError>?) {
    var error = error
    reason =
      error.map { ForeignText.logLine(String(cString: cglib_error_message($0))) }
      ?? "the session bus failed"
    g_clear_error(&error)
  }
}
