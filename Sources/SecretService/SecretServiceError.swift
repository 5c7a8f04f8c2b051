internal import CSecret
internal import CSecretLoader
internal import Secrets

/// Why the Secret Service did not do what it was asked.
public enum SecretServiceError: Error, Hashable, Sendable {
  /// libsecret cannot be loaded, or lacks what is needed.
  case libraryUnusable(reason: String)
  /// Nothing names a session bus: neither an address nor a socket in `XDG_RUNTIME_DIR`.
  case noBus
  /// Nobody serves the bus at this address, or the connection to it broke; `live` is the address of
  /// the bus in `XDG_RUNTIME_DIR` when that is another one.
  case busUnreachable(address: String, reason: String, live: String?)
  /// Another user serves the bus, by the user ID where the system tells it.
  case foreignBus(user: UInt32?)
  /// The bus forbids the call.
  case accessDenied(reason: String)
  /// There is no Secret Service on the bus, and the bus could not start one.
  case noService(reason: String)
  /// The service went away, and did so again when it was asked anew.
  case serviceGone(reason: String)
  /// The service has no default collection: nothing can be stored until the person makes one.
  case noDefaultCollection
  /// The collection, by its label, is locked, and nobody may be asked to unlock it.
  case locked(collection: String?)
  /// The item, by its label, takes a confirmation, and nobody may be asked for it; `service` is the
  /// name of a service that is known.
  case confirmationRequired(item: String, service: String?)
  /// The person, or the lack of anything to ask them with, turned the prompt down.
  case dismissed
  /// The person did not answer the prompt in time.
  case promptUnanswered
  /// The bus or the service did not reply in time.
  case timedOut
  /// The item is not there, or no longer.
  case noSuchItem
  /// What protects secrets on the bus does not work: the key exchange failed, or a secret could not
  /// be decrypted, again and again.
  case brokenSession(reason: String)
  /// What was given, found or replied breaks a rule; nothing was written.
  case malformed(reason: String)
  /// The service failed in another way.
  case failed(reason: String)
}

extension SecretServiceError {
  /// Reads a `GError` and frees it: the one place that does.
  init(consuming error: UnsafeMutablePointer<GError>?) {
    guard let error else {
      // A NULL without a GError is libsecret's way of refusing arguments or data it cannot express.
      self = .malformed(reason: "libsecret refused without saying why")
      return
    }
    defer { g_error_free(error) }
    let remoteName = g_dbus_error_get_remote_error(error)
    defer { g_free(remoteName) }
    _ = g_dbus_error_strip_remote_error(error)
    let (domain, code) = (error.pointee.domain, error.pointee.code)
    let words = error.pointee.message.map { String(cString: $0) } ?? ""
    let reason = ForeignText.quotation(words) ?? ""
    // The specification's errors by their names: only with libsecret does GLib have numbers for them.
    switch remoteName.map({ String(cString: $0) }) {
    case "org.freedesktop.Secret.Error.IsLocked": self = .locked(collection: nil)
    case "org.freedesktop.Secret.Error.NoSuchObject": self = .noSuchItem
    case "org.freedesktop.Secret.Error.NoSession": self = .brokenSession(reason: reason)
    default: self = Self.ofDomain(domain, code, reason)
    }
  }

  private static func ofDomain(
    _ domain: GQuark, _ code: Int32, _ reason: String
  ) -> SecretServiceError {
    switch domain {
    case PromptFailure.domain: ofPrompt(code)
    case csecret_error_domain(): ofLibsecret(code, reason)
    case csecret_dbus_error_domain(): ofBus(code, reason)
    case csecret_io_error_domain(): ofStream(code, reason)
    default: .failed(reason: reason)
    }
  }

  /// What the service, the bus or GLib said, or nothing.
  var reason: String {
    switch self {
    case .libraryUnusable(let reason), .busUnreachable(_, let reason, _), .accessDenied(let reason),
      .noService(let reason),
      .serviceGone(let reason), .brokenSession(let reason), .malformed(let reason),
      .failed(let reason):
      reason
    default: ""
    }
  }

  private static func ofPrompt(_ code: Int32) -> SecretServiceError {
    switch PromptFailure(rawValue: code) {
    // Whoever forbade the prompt knows what it was for, and says so instead.
    case .refused: .confirmationRequired(item: "", service: nil)
    case .dismissed: .dismissed
    case .unanswered: .promptUnanswered
    case .serviceGone: .serviceGone(reason: "it went away while it was asking")
    case .malformedResult, nil: .malformed(reason: "the result of a prompt has another type")
    }
  }

  private static func ofLibsecret(_ code: Int32, _ reason: String) -> SecretServiceError {
    switch SecretError(rawValue: UInt32(clamping: code)) {
    case SECRET_ERROR_PROTOCOL: .brokenSession(reason: reason)
    default: .failed(reason: reason)
    }
  }

  private static func ofBus(_ code: Int32, _ reason: String) -> SecretServiceError {
    switch GDBusError(rawValue: UInt32(clamping: code)) {
    case G_DBUS_ERROR_TIMEOUT, G_DBUS_ERROR_TIMED_OUT: .timedOut
    case G_DBUS_ERROR_ACCESS_DENIED, G_DBUS_ERROR_AUTH_FAILED: .accessDenied(reason: reason)
    case G_DBUS_ERROR_NO_REPLY, G_DBUS_ERROR_SERVICE_UNKNOWN, G_DBUS_ERROR_NAME_HAS_NO_OWNER,
      G_DBUS_ERROR_DISCONNECTED:
      .serviceGone(reason: reason)
    // gnome-keyring replies UnknownMethod for a path it does not know.
    case G_DBUS_ERROR_UNKNOWN_METHOD, G_DBUS_ERROR_UNKNOWN_OBJECT: .noSuchItem
    case G_DBUS_ERROR_INVALID_ARGS, G_DBUS_ERROR_INVALID_SIGNATURE: .malformed(reason: reason)
    default: .failed(reason: reason)
    }
  }

  private static func ofStream(_ code: Int32, _ reason: String) -> SecretServiceError {
    switch GIOErrorEnum(rawValue: UInt32(clamping: code)) {
    // CallLoop cancels what takes too long, and nothing else does.
    case G_IO_ERROR_TIMED_OUT, G_IO_ERROR_CANCELLED: .timedOut
    case G_IO_ERROR_CLOSED: .serviceGone(reason: reason)
    // GDBus: the reply does not have the type the specification gives it.
    case G_IO_ERROR_INVALID_ARGUMENT, G_IO_ERROR_INVALID_DATA: .malformed(reason: reason)
    default: .failed(reason: reason)
    }
  }
}
