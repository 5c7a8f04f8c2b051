internal import CSecret

/// The desktop's keyring: the Secret Service of this process's session bus, through libsecret.
///
/// Nothing is ever asked of the person unless ``prompts`` allows it. Every operation is bounded in
/// time. A service or an encrypted session that went away is found again, once; an item is then
/// searched for anew.
///
/// Not thread-safe: one instance belongs to one thread at a time.
public final class SecretService {
  /// What kind of items ours say they are (`xdg:schema`); ``search(_:)`` never asks for it.
  public static let schema = "io.github.coder_cred"

  /// Whether the person may be asked.
  public var prompts: PromptPolicy
  /// Whether a collection was found locked and opened at the mere request: it has no password, and
  /// gnome-keyring keeps such a collection as readable text.
  public internal(set) var hasCollectionWithoutPassword = false

  let loop: CallLoop
  /// The session's bus, also while another program takes the service over: what we own there stays ours.
  private var bus: OpaquePointer?
  private var connection: ServiceConnection?
  private var generation = 0

  /// Connects to the session bus and finds the service, starting it if the bus can.
  ///
  /// - Parameters:
  ///   - prompts: whether the person may be asked.
  ///   - timeoutSeconds: how long any operation may take in all, but for a person's answers; at
  ///     least 1.
  ///   - name: what ``claimName(_:)`` is called for next, if anything: it is asked for in the same round.
  /// - Throws: `noBus`, `busUnreachable`, `foreignBus`, `accessDenied`, `noService`, `timedOut`.
  public init(
    prompts: PromptPolicy = .never, timeoutSeconds: Int = 10, claiming name: String? = nil
  ) throws(SecretServiceError) {
    self.prompts = prompts
    loop = CallLoop(timeoutSeconds: max(1, min(timeoutSeconds, 3600)))
    Self.librariesAreQuiet
    loop.restartDeadline()
    connection = try ServiceConnection(openBus(), loop, generation: generation, claiming: name)
  }

  deinit {
    if let bus { g_object_unref(UnsafeMutableRawPointer(bus)) }
  }

  /// libsecret and GDBus print what surprises them, in the service's words.
  private static let librariesAreQuiet: Void = {
    for domain in ["libsecret", "GLib-GIO"] { csecret_log_ignore(domain) { _, _, _, _ in } }
  }()
}

/// Going on when something went away.
extension SecretService {
  /// Does one operation within one timeout, and again with a new connection to the service when
  /// the former one turned out to be of no more use.
  func operation<Value>(
    _ body: (ServiceConnection) throws(SecretServiceError) -> Value
  ) throws(SecretServiceError) -> Value {
    loop.restartDeadline()
    var retries = 0
    while true {
      do throws(SecretServiceError) {
        return try body(try connected())
      } catch {
        guard retries < error.usefulRetries else { throw error }
        retries += 1
        connection = nil
      }
    }
  }

  private func connected() throws(SecretServiceError) -> ServiceConnection {
    if let connection { return connection }
    generation += 1
    let fresh = try ServiceConnection(openBus(), loop, generation: generation)
    connection = fresh
    return fresh
  }

  private func openBus() throws(SecretServiceError) -> OpaquePointer {
    if let bus {
      guard g_dbus_connection_is_closed(bus) != 0 else { return bus }
      g_object_unref(UnsafeMutableRawPointer(bus))
      self.bus = nil
    }
    let fresh = try SessionBus.connect(loop)
    bus = fresh
    return fresh
  }
}

extension SecretServiceError {
  /// How often it is worth to begin anew with a new connection to the service.
  fileprivate var usefulRetries: Int {
    switch self {
    // KWallet's key exchange fails in one of a hundred sessions: twice in a row is seen, too.
    case .brokenSession: 3
    // UnknownObject is also what KWallet says of a session that it does not know.
    case .serviceGone, .noSuchItem, .failed: 1
    default: 0
    }
  }
}
