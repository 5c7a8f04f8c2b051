internal import CSecret

/// The desktop's keyring: one connection to the Secret Service of one session.
///
/// Only ``unlock(timeoutSeconds:)`` ever asks the user anything. Every call is bounded in time. Once
/// the service has gone away, every call is `unavailable`: make a new `SecretService` then.
///
/// Not thread-safe: one instance belongs to one thread at a time.
public final class SecretService {
  let bus: Bus
  private var session: UnsafeMutablePointer<CSecret.SecretService>?

  /// Connects to the session bus and finds the service, starting it if the bus can.
  ///
  /// - Parameters:
  ///   - busAddress: a D-Bus address; `nil` means the session's own (`DBUS_SESSION_BUS_ADDRESS`).
  ///   - timeoutSeconds: how long any call waits for the bus or the service, at least 1.
  /// - Throws: `unavailable` when there is no bus or no service, `timedOut`.
  public init(busAddress: String? = nil, timeoutSeconds: Int = 10) throws(SecretServiceError) {
    // Registers the D-Bus names of the specification's errors with GLib.
    _ = csecret_error_domain()
    bus = try Bus(address: busAddress, timeoutSeconds: max(1, min(timeoutSeconds, 3600)))
    try waitUntilServiceKnowsCaller()
  }

  /// Has something harmless answered before anything is asked.
  ///
  /// gnome-keyring (42 to 50 at least) notes who is calling aside from answering: a first search
  /// that overtakes the note is refused, and a first OpenSession aborts the daemon.
  private func waitUntilServiceKnowsCaller() throws(SecretServiceError) {
    do throws(SecretServiceError) {
      _ = try bus.call(
        Self.root, Self.properties, "Get", [.string(Self.service), .string("Collections")],
        reply: "(v)")
    } catch .timedOut {
      throw .timedOut
    } catch {
      // A refusal is an answer too.
    }
  }

  deinit {
    if let session { g_object_unref(session) }
  }

  /// Whether the collection behind the alias `default` exists, and whether it is locked; changes
  /// nothing.
  ///
  /// - Throws: `unavailable`, `timedOut`.
  public func defaultCollectionState() throws(SecretServiceError) -> CollectionState {
    guard let path = try defaultCollection() else { return .absent }
    do throws(SecretServiceError) {
      return try isLocked(path, Self.collection) ? .locked : .unlocked
    } catch .noSuchItem {
      return .absent
    }
  }
}

/// What the other files of this room stand on.
extension SecretService {
  static let root = "/org/freedesktop/secrets"
  static let service = "org.freedesktop.Secret.Service"
  static let collection = "org.freedesktop.Secret.Collection"
  static let item = "org.freedesktop.Secret.Item"
  static let properties = "org.freedesktop.DBus.Properties"

  /// The specification's way to say "none" where an object path is due.
  static let none = "/"

  /// The path behind the alias `default`, or `nil` when there is none.
  func defaultCollection() throws(SecretServiceError) -> String? {
    let answer = try bus.call(
      Self.root, Self.service, "ReadAlias", [.string("default")], reply: "(o)")
    guard let path = answer[0].text, path != Self.none else { return nil }
    return path
  }

  /// Reads the property `Locked` of a collection or an item.
  func isLocked(_ path: String, _ interface: String) throws(SecretServiceError) -> Bool {
    let answer = try bus.call(
      path, Self.properties, "Get", [.string(interface), .string("Locked")], reply: "(v)")
    guard let locked = answer[0].unboxed.bool else {
      throw .malformed(reason: "the property Locked is not a boolean")
    }
    return locked
  }

  /// libsecret's view of the service, with a session opened: what encrypts secrets on the bus.
  ///
  /// Opened with the first secret, since the key exchange costs more than all the rest.
  func openSession() throws(SecretServiceError) -> UnsafeMutablePointer<CSecret.SecretService> {
    if let session { return session }
    let fresh = try ConnectedService.make(on: bus)
    var error: UnsafeMutablePointer<GError>?
    guard secret_service_ensure_session_sync(fresh, nil, &error) != 0 else {
      g_object_unref(fresh)
      throw SecretServiceError(consuming: error)
    }
    session = fresh
    return fresh
  }

  /// The open session's path.
  func sessionPath() throws(SecretServiceError) -> String {
    guard let path = secret_service_get_session_dbus_path(try openSession()) else {
      throw .malformed(reason: "the service opened a session without a path")
    }
    return String(cString: path)
  }
}
