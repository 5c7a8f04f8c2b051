internal import CSecret

/// The service that owned `org.freedesktop.secrets` when we came.
final class ServiceConnection {
  let bus: OpaquePointer
  /// The unique bus name of the service.
  let owner: String
  let prompter: Prompter
  let loop: CallLoop
  /// Tells what was found over this connection from what an earlier one found.
  let generation: Int
  /// Whether the service says that it has collections at all.
  let hasCollections: Bool
  /// The path that the alias `default` named when a search last asked for it.
  var lastDefault: String?
  /// The D-Bus session for secrets that are read without encryption; nil until it is opened.
  var plainSession: String?
  /// What is known of the program behind it.
  let quirks: ServiceQuirks
  private var opened: UnsafeMutablePointer<CSecret.SecretService>?

  private static let name = "org.freedesktop.secrets"

  /// - Throws: `noBus`, `busUnreachable`, `foreignBus`, `accessDenied`, `noService`, `serviceGone`,
  ///   `timedOut`.
  init(_ loop: CallLoop, generation: Int) throws(SecretServiceError) {
    self.loop = loop
    self.generation = generation
    prompter = Prompter(loop: loop)
    let bus = try SessionBus.connect(loop)
    do throws(SecretServiceError) {
      (owner, quirks) = try Self.owner(bus, loop)
      hasCollections = try Self.hasCollections(owner, bus, loop)
    } catch {
      g_object_unref(UnsafeMutableRawPointer(bus))
      throw error
    }
    self.bus = bus
  }

  deinit {
    if let opened { g_object_unref(opened) }
    g_object_unref(UnsafeMutableRawPointer(bus))
  }

  /// libsecret's view of the service, for encryption, new items and prompts.
  ///
  /// Opened when it is first needed: it watches the service, which takes seven calls.
  func service() throws(SecretServiceError) -> UnsafeMutablePointer<CSecret.SecretService> {
    if let opened { return opened }
    let fresh = try loop.call(
      { csecret_open(PromptingService.type, $0, $1, $2) },
      finish: { secret_service_open_finish($0, &$1) })
    guard let fresh else { throw .noService(reason: "libsecret did not open it") }
    // libsecret opens a service that nobody provides without a word, or that of somebody else.
    guard Self.nameOwner(of: fresh) == owner else {
      g_object_unref(fresh)
      throw .serviceGone(reason: "it ended")
    }
    PromptingService.setPrompter(prompter, of: fresh)
    opened = fresh
    return fresh
  }

  private static func nameOwner(
    of service: UnsafeMutablePointer<CSecret.SecretService>
  ) -> String? {
    let name = service.withMemoryRebound(to: GDBusProxy.self, capacity: 1) {
      g_dbus_proxy_get_name_owner($0)
    }
    guard let name else { return nil }
    defer { g_free(name) }
    return String(cString: name)
  }

  /// Who provides the service, started by the bus if need be, and what is known of that program.
  private static func owner(
    _ bus: OpaquePointer, _ loop: CallLoop
  ) throws(SecretServiceError) -> (String, ServiceQuirks) {
    func current() throws(SecretServiceError) -> (String, ServiceQuirks)? {
      let owners = try owners(of: [name] + ServiceQuirks.busNames, bus, loop)
      guard let owner = owners[0] else { return nil }
      return (owner, ServiceQuirks(of: owner, among: Array(owners.dropFirst())))
    }
    if let owner = try current() { return owner }
    do throws(SecretServiceError) {
      _ = try call(
        .ofBus("StartServiceByName", reply: "(u)"), [.string(name), .uint32(0)], bus, loop)
    } catch .accessDenied(let reason) {
      throw .accessDenied(reason: reason)
    } catch .timedOut {
      throw .timedOut
    } catch {
      throw .noService(reason: error.reason)
    }
    guard let owner = try current() else {
      throw .noService(reason: "it ended as soon as it was started")
    }
    return owner
  }

  /// The first call, and answered before any other: gnome-keyring (42 to 50 at least) notes who is
  /// calling aside from replying, and aborts when what needs that note comes too early.
  private static func hasCollections(
    _ owner: String, _ bus: OpaquePointer, _ loop: CallLoop
  ) throws(SecretServiceError) -> Bool {
    let get = BusMethod(
      name: owner, path: "/org/freedesktop/secrets", interface: "org.freedesktop.DBus.Properties",
      method: "Get", reply: "(v)")
    let arguments: [Value] = [.string("org.freedesktop.Secret.Service"), .string("Collections")]
    do throws(SecretServiceError) {
      return if case .list(let count) = try call(get, arguments, bus, loop) { count > 0 } else {
        false
      }
    } catch {
      switch error {
      case .serviceGone, .timedOut, .accessDenied: throw error
      default: return false
      }
    }
  }
}
