internal import CSecret

/// What came of asking for a name on the bus.
public enum NameClaim: Sendable, Equatable {
  /// It is ours until it is released, or this process ends.
  case owned
  /// Another connection owns it; its process, where the bus tells.
  case taken(by: Int32?)
  /// The bus does not let us own it, as behind a proxy that lets only some names through.
  case refused
}

/// Names on the bus of the Secret Service: one owner at a time among all that reach the service.
extension SecretService {
  /// Asks for a name, and does not queue for it.
  ///
  /// - Throws: `timedOut`, and what says that the bus cannot be reached.
  public func claimName(_ name: String) throws(SecretServiceError) -> NameClaim {
    try operation { connection throws(SecretServiceError) in
      if connection.claimedName == name {
        connection.claimedName = nil
        return .owned
      }
      let reply = try connection.call([ServiceConnection.requestOf(name)])[0]
      if ServiceConnection.isOwned(reply) { return .owned }
      if case .failure(let error) = reply {
        if case .timedOut = error { throw error }
        guard g_dbus_connection_is_closed(connection.bus) == 0 else { throw error }
        return .refused
      }
      let process = try? connection.call(
        .ofBus("GetConnectionUnixProcessID", reply: "(u)"), [.string(name)])
      guard case .uint32(let process)? = process else { return .taken(by: nil) }
      return .taken(by: Int32(exactly: process))
    }
  }

  /// Gives a name back. Nobody waits for that: at the latest the bus takes it from a process that ends.
  public func releaseName(_ name: String) {
    _ = try? operation { connection throws(SecretServiceError) in
      connection.send(.ofBus("ReleaseName", reply: "(u)"), [.string(name)])
    }
  }
}

extension ServiceConnection {
  /// Asks the bus for a name, and does not queue for it: DBUS_NAME_FLAG_DO_NOT_QUEUE of the D-Bus
  /// specification, "RequestName", is 4.
  static func requestOf(_ name: String) -> BusCall {
    (.ofBus("RequestName", reply: "(u)"), [.string(name), .uint32(4)])
  }

  /// Whether the reply to `RequestName` gives us the name: DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER is 1,
  /// …_ALREADY_OWNER is 4.
  static func isOwned(_ reply: Outcome<Value>) -> Bool {
    if case .success(.uint32(let code)) = reply { code == 1 || code == 4 } else { false }
  }
}
