internal import CGLib

/// The program that shows notifications, over a connection of our own to the session bus.
final class NotificationServer {
  static let name = "org.freedesktop.Notifications"
  static let path = "/org/freedesktop/Notifications"
  /// The action's key; a click on the notification itself is `default`.
  static let actionKey = "sign-in"

  let connection: OpaquePointer
  /// What is delivered to us is delivered while we wait, on this context.
  let context: OpaquePointer?

  init() throws(Notification.Unavailable) {
    var error: UnsafeMutablePointer<GError>?
    guard let address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SESSION, nil, &error) else {
      throw Notification.Unavailable(consuming: error)
    }
    defer { g_free(address) }
    context = g_main_context_new()
    g_main_context_push_thread_default(context)
    let flags = GDBusConnectionFlags(
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT.rawValue
        | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION.rawValue)
    guard
      let connection = g_dbus_connection_new_for_address_sync(address, flags, nil, nil, &error)
    else {
      g_main_context_pop_thread_default(context)
      g_main_context_unref(context)
      throw Notification.Unavailable(consuming: error)
    }
    self.connection = connection
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
    let answer = try call("GetCapabilities", [], reply: "(as)")
    defer { g_variant_unref(answer) }
    let list = g_variant_get_child_value(answer, 0)
    defer { g_variant_unref(list) }
    var words: Set<String> = []
    for index in 0..<g_variant_n_children(list) {
      let word = g_variant_get_child_value(list, index)
      if let text = g_variant_get_string(word, nil) { words.insert(String(cString: text)) }
      g_variant_unref(word)
    }
    return words
  }

  /// Notify; the server keeps the notification until it is closed.
  func notify(
    summary: String, body: String, action: String?
  ) throws(Notification.Unavailable) -> UInt32 {
    let actions = action.map { ["default", $0, Self.actionKey, $0] } ?? []
    let answer = try call(
      "Notify",
      [
        string("coder-cred"), g_variant_new_uint32(0), string("dialog-password"), string(summary),
        string(body), array(of: "s", actions.map(string)),
        // Urgency 1: normal. A critical one would break into what the person is doing.
        array(of: "{sv}", [hint("urgency", g_variant_new_byte(1))]),
        // The server decides how long it pops up; it stays in its list until we close it.
        g_variant_new_int32(-1),
      ], reply: "(u)")
    defer { g_variant_unref(answer) }
    let number = g_variant_get_child_value(answer, 0)
    defer { g_variant_unref(number) }
    return g_variant_get_uint32(number)
  }

  /// CloseNotification; one that is gone already is as good.
  func close(_ number: UInt32) {
    guard
      let answer = try? call("CloseNotification", [g_variant_new_uint32(number)], reply: "()")
    else { return }
    g_variant_unref(answer)
  }

  static func escaped(_ text: String) -> String {
    guard let escaped = g_markup_escape_text(text, -1) else { return "" }
    defer { g_free(escaped) }
    return String(cString: escaped)
  }

  /// Calls the server, starting it if the bus knows how, and waits at most ten seconds.
  private func call(
    _ method: String, _ arguments: [OpaquePointer?], reply: String
  ) throws(Notification.Unavailable) -> OpaquePointer {
    let type = g_variant_type_new(reply)
    defer { g_variant_type_free(type) }
    var error: UnsafeMutablePointer<GError>?
    // The new tuple takes the floating arguments, and the call takes the floating tuple.
    let body = g_variant_new_tuple(arguments, gsize(arguments.count))
    let answer = g_dbus_connection_call_sync(
      connection, Self.name, Self.path, Self.name, method, body, type, G_DBUS_CALL_FLAGS_NONE,
      10_000, nil, &error)
    guard let answer else { throw Notification.Unavailable(consuming: error) }
    return answer
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
  /// The one place that reads a `GError`.
  init(consuming error: UnsafeMutablePointer<GError>?) {
    var error = error
    reason = error.map { String(cString: $0.pointee.message) } ?? "the session bus failed"
    g_clear_error(&error)
  }
}
