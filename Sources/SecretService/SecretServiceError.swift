internal import CSecret

/// Why the Secret Service did not do what it was asked.
public enum SecretServiceError: Error, Hashable, Sendable {
  /// There is no session bus, no service on it, no default collection, or the service went away.
  case unavailable(reason: String)
  /// The collection or item is locked; only ``SecretService/unlock(timeoutSeconds:)`` changes that.
  case locked
  /// The service wants to ask the user before it writes, and writing never asks.
  case promptRequired
  /// The user, or the lack of anything to ask them with, turned the unlock prompt down.
  case dismissed
  /// The bus, the service or the user did not answer in time.
  case timedOut
  /// The item is not there, or no longer.
  case noSuchItem
  /// What was given, found or answered breaks a rule; nothing was written.
  case malformed(reason: String)
}

extension SecretServiceError {
  /// Reads a `GError` and frees it: the one place that does.
  ///
  /// The text is the service's and therefore hostile: it is cut at 200 characters and holds no
  /// control characters afterwards.
  init(consuming error: UnsafeMutablePointer<GError>?) {
    guard let error else {
      // A NULL without a GError is libsecret's way of refusing arguments or data it cannot express.
      self = .malformed(reason: "libsecret refused without saying why")
      return
    }
    defer { g_error_free(error) }
    _ = g_dbus_error_strip_remote_error(error)
    let (domain, code) = (error.pointee.domain, error.pointee.code)
    let reason = Self.printable(error.pointee.message.map { String(cString: $0) } ?? "")
    switch domain {
    case csecret_error_domain():
      self = Self.ofLibsecret(code, reason)
    case csecret_dbus_error_domain():
      self = Self.ofBus(code, reason)
    case csecret_io_error_domain():
      self = Self.ofStream(code, reason)
    default:
      self = .unavailable(reason: reason)
    }
  }

  private static func ofLibsecret(_ code: Int32, _ reason: String) -> SecretServiceError {
    switch SecretError(rawValue: UInt32(clamping: code)) {
    case SECRET_ERROR_IS_LOCKED: .locked
    case SECRET_ERROR_NO_SUCH_OBJECT: .noSuchItem
    case SECRET_ERROR_PROTOCOL: .malformed(reason: reason)
    default: .unavailable(reason: reason)
    }
  }

  private static func ofBus(_ code: Int32, _ reason: String) -> SecretServiceError {
    switch GDBusError(rawValue: UInt32(clamping: code)) {
    case G_DBUS_ERROR_TIMEOUT, G_DBUS_ERROR_TIMED_OUT: .timedOut
    // gnome-keyring answers UnknownMethod for a path it does not know.
    case G_DBUS_ERROR_UNKNOWN_METHOD, G_DBUS_ERROR_UNKNOWN_OBJECT: .noSuchItem
    case G_DBUS_ERROR_INVALID_ARGS, G_DBUS_ERROR_INVALID_SIGNATURE: .malformed(reason: reason)
    default: .unavailable(reason: reason)
    }
  }

  private static func ofStream(_ code: Int32, _ reason: String) -> SecretServiceError {
    switch GIOErrorEnum(rawValue: UInt32(clamping: code)) {
    case G_IO_ERROR_TIMED_OUT: .timedOut
    // GDBus: the answer does not have the type the specification gives it.
    case G_IO_ERROR_INVALID_ARGUMENT, G_IO_ERROR_INVALID_DATA: .malformed(reason: reason)
    default: .unavailable(reason: reason)
    }
  }

  private static func printable(_ text: String) -> String {
    let plain = text.unicodeScalars.prefix(200).map { scalar -> Character in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: "?"
      default: Character(scalar)
      }
    }
    return String(plain)
  }
}
