internal import CLinux
internal import CSecret
internal import Glibc

/// The desktop session's bus, as GLib shares it within the process.
enum SessionBus {
  /// Connects to the session's bus, or hands out the connection that is there already.
  ///
  /// - Returns: a reference for the caller.
  /// - Throws: `noBus`, `busUnreachable`, `foreignBus`, `timedOut`.
  static func connect(_ loop: CallLoop) throws(SecretServiceError) -> OpaquePointer {
    let address = try chosenAddress()
    // GLib starts a bus, and with it a second, empty keyring, wherever a display is and no address.
    g_setenv("DBUS_SESSION_BUS_ADDRESS", address, 1)
    let bus: OpaquePointer?
    do throws(SecretServiceError) {
      bus = try loop.call(csecret_bus_get) { g_bus_get_finish($0, &$1) }
    } catch .timedOut {
      throw .timedOut
    } catch {
      throw .busUnreachable(
        address: address, reason: error.reason, live: liveAddress(besides: address))
    }
    guard let bus else { throw .noBus }
    // GLib's default ends the process with SIGTERM when the bus goes away.
    g_dbus_connection_set_exit_on_close(bus, 0)
    do throws(SecretServiceError) {
      try requireOwnUser(bus)
      guard g_dbus_connection_is_closed(bus) == 0 else {
        throw .busUnreachable(
          address: address, reason: "the connection is closed", live: nil)
      }
    } catch {
      g_object_unref(UnsafeMutableRawPointer(bus))
      throw error
    }
    return bus
  }

  /// `DBUS_SESSION_BUS_ADDRESS` when it is set and not empty, else the socket in
  /// `XDG_RUNTIME_DIR`; without the elements that would start a bus.
  private static func chosenAddress() throws(SecretServiceError) -> String {
    guard let named = variable("DBUS_SESSION_BUS_ADDRESS") else {
      guard let usual = usualAddress() else { throw .noBus }
      return usual
    }
    let elements = named.split(separator: ";").filter { !$0.hasPrefix("autolaunch:") }
    guard !elements.isEmpty else {
      guard let usual = usualAddress() else { throw .noBus }
      return usual
    }
    return elements.joined(separator: ";")
  }

  /// The address of the socket where session managers put it, if there is one.
  private static func usualAddress() -> String? {
    guard let directory = variable("XDG_RUNTIME_DIR"), access("\(directory)/bus", F_OK) == 0,
      let escaped = g_dbus_address_escape_value("\(directory)/bus")
    else { return nil }
    defer { g_free(escaped) }
    return "unix:path=\(String(cString: escaped))"
  }

  private static func liveAddress(besides address: String) -> String? {
    guard let usual = usualAddress(), usual != address else { return nil }
    return usual
  }

  private static func variable(_ name: String) -> String? {
    guard let value = g_getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
  }

  /// Whoever listens reads all we store: a stale address, or one in the abstract namespace, may be
  /// another user's by now.
  private static func requireOwnUser(_ bus: OpaquePointer) throws(SecretServiceError) {
    let user = clinux_peer_user(csecret_bus_socket(bus))
    guard user == Int(geteuid()) || user == 0 else {
      throw .foreignBus(user: UInt32(exactly: user))
    }
  }
}
