internal import CGLib

/// What the server says about our notification, listened for since before it is shown.
final class AwaitedResponse {
  private enum Event {
    case chosen(String)
    case closed
    case activationToken(String)
  }

  private let server: NotificationServer
  private var subscription: guint = 0
  private var events: [(number: UInt32, event: Event)] = []

  init(_ server: NotificationServer) {
    self.server = server
    subscription = g_dbus_connection_signal_subscribe(
      server.connection, NotificationServer.name, NotificationServer.name, nil,
      NotificationServer.path, nil, G_DBUS_SIGNAL_FLAGS_NONE,
      { _, _, _, _, signal, arguments, data in
        guard let signal, let arguments, let data else { return }
        Unmanaged<AwaitedResponse>.fromOpaque(data).takeUnretainedValue()
          .receive(String(cString: signal), arguments)
      }, Unmanaged.passUnretained(self).toOpaque(), nil)
  }

  deinit {
    g_dbus_connection_signal_unsubscribe(server.connection, subscription)
  }

  /// Lets GLib work until the notification is answered or time is up.
  func wait(for number: UInt32, seconds: Int) -> Notification.Response {
    let end = g_get_monotonic_time() + max(0, min(seconds, 86_400)) * 1_000_000
    // Wakes the wait, so that it sees its end.
    let tick = g_timeout_source_new(100)
    g_source_set_callback(tick, { _ in 1 }, nil, nil)
    g_source_attach(tick, server.context)
    defer {
      g_source_destroy(tick)
      g_source_unref(tick)
    }
    var activationToken: String?
    while g_get_monotonic_time() < end {
      for (_, event) in events.filter({ $0.number == number }) {
        switch event {
        case .activationToken(let token): activationToken = token
        case .chosen(NotificationServer.actionKey), .chosen("default"):
          return .chosen(activationToken: activationToken)
        case .chosen: break
        case .closed: return .closed
        }
      }
      events = []
      g_main_context_iteration(server.context, 1)
    }
    return .unanswered
  }

  private func receive(_ signal: String, _ arguments: OpaquePointer) {
    // Anyone on the bus may send a signal; the bus only promises who it came from.
    guard events.count < 1000, let number = UInt32(child: 0, of: arguments) else { return }
    switch signal {
    case "ActionInvoked":
      if let key = String(child: 1, of: arguments) { events.append((number, .chosen(key))) }
    case "ActivationToken":
      guard let token = String(child: 1, of: arguments), token.utf8.count <= 1024 else { return }
      events.append((number, .activationToken(token)))
    case "NotificationClosed": events.append((number, .closed))
    default: break
    }
  }
}

extension UInt32 {
  /// A `u` within a tuple.
  fileprivate init?(child index: gsize, of tuple: OpaquePointer) {
    guard index < g_variant_n_children(tuple) else { return nil }
    let value = g_variant_get_child_value(tuple, index)
    defer { g_variant_unref(value) }
    guard g_variant_classify(value) == G_VARIANT_CLASS_UINT32 else { return nil }
    self = g_variant_get_uint32(value)
  }
}

extension String {
  /// An `s` within a tuple.
  fileprivate init?(child index: gsize, of tuple: OpaquePointer) {
    guard index < g_variant_n_children(tuple) else { return nil }
    let value = g_variant_get_child_value(tuple, index)
    defer { g_variant_unref(value) }
    guard g_variant_classify(value) == G_VARIANT_CLASS_STRING,
      let text = g_variant_get_string(value, nil)
    else { return nil }
    self.init(cString: text)
  }
}
