internal import CGLib

/// What the server tells about our notification: `ActionInvoked`, `ActivationToken`,
/// `NotificationClosed`.
final class NotificationSignals {
  private enum Signal {
    case actionInvoked(key: String)
    case activationToken(String)
    case closed
  }

  private let server: NotificationServer
  private var subscription: guint = 0
  private var received: [(id: UInt32, signal: Signal)] = []
  private var isTimeUp = false

  /// Starts to listen.
  init(from server: NotificationServer) {
    self.server = server
    subscription = g_dbus_connection_signal_subscribe(
      server.connection, NotificationServer.name, NotificationServer.name, nil,
      NotificationServer.path, nil, cglib_signal_flags_none(),
      { _, _, _, _, signal, arguments, data in
        guard let signal, let arguments, let data else { return }
        Unmanaged<NotificationSignals>.fromOpaque(data).takeUnretainedValue()
          .receive(String(cString: signal), arguments)
      }, Unmanaged.passUnretained(self).toOpaque(), nil)
  }

  deinit {
    g_dbus_connection_signal_unsubscribe(server.connection, subscription)
  }

  /// Lets GLib deliver signals until the person has reacted to a notification or time is up.
  func wait(for id: UInt32, timeoutSeconds: Int) -> Notification.Outcome {
    let timer = g_timeout_source_new(guint(max(0, min(timeoutSeconds, 86_400)) * 1000))
    g_source_set_callback(
      timer,
      { data in
        guard let data else { return 0 }
        Unmanaged<NotificationSignals>.fromOpaque(data).takeUnretainedValue().isTimeUp = true
        return 0
      }, Unmanaged.passUnretained(self).toOpaque(), nil)
    g_source_attach(timer, server.context)
    defer {
      g_source_destroy(timer)
      g_source_unref(timer)
    }
    var activationToken: String?
    while !isTimeUp {
      for (_, signal) in received.filter({ $0.id == id }) {
        switch signal {
        case .activationToken(let token): activationToken = token
        case .actionInvoked(NotificationServer.actionKey), .actionInvoked("default"):
          return .chosen(activationToken: activationToken)
        case .actionInvoked: break
        case .closed: return .closed
        }
      }
      received = []
      g_main_context_iteration(server.context, 1)
    }
    return .ignored
  }

  private func receive(_ name: String, _ arguments: OpaquePointer) {
    // Anyone on the bus may send a signal; the bus only promises who it came from.
    guard received.count < 1000, let id = UInt32(child: 0, of: arguments) else { return }
    switch name {
    case "ActionInvoked":
      if let key = String(child: 1, of: arguments) {
        received.append((id, .actionInvoked(key: key)))
      }
    case "ActivationToken":
      guard let token = String(child: 1, of: arguments), token.utf8.count <= 1024 else { return }
      received.append((id, .activationToken(token)))
    case "NotificationClosed": received.append((id, .closed))
    default: break
    }
  }
}
