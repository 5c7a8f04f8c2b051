internal import CLinux
internal import CSecret
internal import Glibc
internal import MinimalDBus

/// The desktop session's bus.
enum SessionBus {
  /// Connects to the session's bus.
  ///
  /// - Returns: a reference for the caller.
  /// - Throws: `noBus`, `busUnreachable`, `foreignBus`, `timedOut`.
  static func connect(_ loop: CallLoop) throws(SecretServiceError) -> OpaquePointer {
    let address = try chosenAddress()
    // Before a word is said: a bus may turn other users away without a word, or keep them waiting.
    if let user = foreignUser(at: address) { throw .foreignBus(user: user) }
    // GLib starts a bus, and with it a second, empty keyring, wherever a display is and no address.
    g_setenv("DBUS_SESSION_BUS_ADDRESS", address, 1)
    let bus: OpaquePointer?
    do throws(SecretServiceError) {
      if let stream = stream(to: address) {
        defer { g_object_unref(UnsafeMutableRawPointer(stream)) }
        bus = try loop.call({ csecret_bus_greet(stream, $0, $1, $2) }) {
          g_dbus_connection_new_finish($0, &$1)
        }
      } else {
        bus = try loop.call(csecret_bus_get) { g_bus_get_finish($0, &$1) }
      }
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

  /// A stream to a bus at a plain address, authenticated by ourselves: GLib takes 0.1 to 0.3 ms longer
  /// for the same, of a command's 9. Nil where GLib has to try, and to tell why it cannot be done.
  private static func stream(to address: String) -> UnsafeMutablePointer<GIOStream>? {
    guard let socket = try? BusConnection.authenticatedSocket(at: address) else { return nil }
    guard let stream = csecret_stream(socket) else {
      close(socket)
      return nil
    }
    return stream
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

  /// The user who made the first socket of an address, if that is neither we nor root.
  private static func foreignUser(at address: String) -> UInt32? {
    guard let first = address.split(separator: ";").first, first.hasPrefix("unix:") else {
      return nil
    }
    for pair in first.dropFirst("unix:".count).split(separator: ",") {
      guard let equals = pair.firstIndex(of: "="),
        let escaped = g_uri_unescape_string(String(pair[equals...].dropFirst()), nil)
      else { continue }
      defer { g_free(escaped) }
      let user: UInt32? =
        switch pair[..<equals] {
        case "path": owner(ofFile: String(cString: escaped))
        case "abstract": listener(at: String(cString: escaped))
        default: nil
        }
      if let user { return user == geteuid() || user == 0 ? nil : user }
    }
    return nil
  }

  private static func owner(ofFile path: String) -> UInt32? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_uid : nil
  }

  /// Who listens at an abstract address (unix(7)), which has no owner that could be looked at.
  private static func listener(at name: String) -> UInt32? {
    var address = sockaddr_un()
    let bytes = Array(name.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0[1...].copyBytes(from: bytes) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let length = MemoryLayout.offset(of: \sockaddr_un.sun_path).map { $0 + 1 + bytes.count } ?? 0
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(length))
      }
    }
    return connected == 0 ? UInt32(exactly: clinux_peer_user(descriptor)) : nil
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
    let user = clinux_peer_user(gdbus_socket(bus))
    guard user == Int(geteuid()) || user == 0 else {
      throw .foreignBus(user: UInt32(exactly: user))
    }
  }
}
