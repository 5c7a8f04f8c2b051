internal import CSecret

/// libsecret's view of the service that owned `org.freedesktop.secrets` when we came.
final class ServiceConnection {
  let bus: OpaquePointer
  let service: UnsafeMutablePointer<CSecret.SecretService>
  /// The unique bus name of the service.
  let owner: String
  let prompter: Prompter
  let loop: CallLoop
  /// Tells what was found over this connection from what an earlier one found.
  let generation: Int
  /// What is known of the program behind it.
  private(set) lazy var quirks = Result { () throws(SecretServiceError) in
    try ServiceQuirks.detect(on: self)
  }

  /// - Throws: `noBus`, `busUnreachable`, `foreignBus`, `accessDenied`, `noService`, `timedOut`.
  init(_ loop: CallLoop, generation: Int) throws(SecretServiceError) {
    self.loop = loop
    self.generation = generation
    prompter = Prompter(loop: loop)
    let bus = try SessionBus.connect(loop)
    do throws(SecretServiceError) {
      let opened = try loop.call(
        { csecret_open(PromptingService.type, $0, $1, $2) },
        finish: { secret_service_open_finish($0, &$1) })
      guard let opened else { throw .noService(reason: "libsecret did not open it") }
      // libsecret opens a service that nobody provides without a word.
      guard let owner = Self.nameOwner(of: opened) else {
        g_object_unref(opened)
        throw try Self.reasonForAbsence(bus, loop)
      }
      self.owner = owner
      service = opened
    } catch {
      g_object_unref(UnsafeMutableRawPointer(bus))
      throw error
    }
    self.bus = bus
    PromptingService.setPrompter(prompter, of: service)
  }

  deinit {
    g_object_unref(service)
    g_object_unref(UnsafeMutableRawPointer(bus))
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

  /// Asks the bus to start the service, for what it says to that.
  private static func reasonForAbsence(
    _ bus: OpaquePointer, _ loop: CallLoop
  ) throws(SecretServiceError) -> SecretServiceError {
    do throws(SecretServiceError) {
      _ = try call(
        BusMethod(
          name: "org.freedesktop.DBus", path: "/org/freedesktop/DBus",
          interface: "org.freedesktop.DBus", method: "StartServiceByName", reply: "(u)"),
        [.string("org.freedesktop.secrets"), .uint32(0)], bus, loop)
      return .noService(reason: "it ended as soon as it was started")
    } catch .accessDenied(let reason) {
      return .accessDenied(reason: reason)
    } catch .timedOut {
      return .timedOut
    } catch {
      return .noService(reason: error.reason)
    }
  }
}

/// What libsecret has no call for.
extension ServiceConnection {
  /// A method of some program on the bus, and the type of its reply.
  struct BusMethod {
    let name: String
    let path: String
    let interface: String
    let method: String
    let reply: String
  }

  /// What such methods take and reply.
  enum Value {
    case string(String)
    case uint32(UInt32)
    case int32(Int32)
    case int64(Int)
    case bool(Bool)
    case none

    fileprivate var variant: OpaquePointer? {
      switch self {
      case .string(let value): g_variant_new_string(value)
      case .uint32(let value): g_variant_new_uint32(value)
      case .int32(let value): g_variant_new_int32(value)
      case .int64(let value): g_variant_new_int64(value)
      case .bool(let value): g_variant_new_boolean(value ? 1 : 0)
      case .none: nil
      }
    }

    /// The first value of a reply.
    fileprivate init(first reply: OpaquePointer) {
      guard g_variant_n_children(reply) > 0, let first = g_variant_get_child_value(reply, 0) else {
        self = .none
        return
      }
      defer { g_variant_unref(first) }
      self =
        switch String(cString: g_variant_get_type_string(first)) {
        case "s": .string(String(cString: g_variant_get_string(first, nil)))
        case "u": .uint32(g_variant_get_uint32(first))
        case "i": .int32(g_variant_get_int32(first))
        case "b": .bool(g_variant_get_boolean(first) != 0)
        default: .none
        }
    }
  }

  /// Calls a method and hands out the first value of its reply.
  func call(_ method: BusMethod, _ arguments: [Value]) throws(SecretServiceError) -> Value {
    try Self.call(method, arguments, bus, loop)
  }

  /// Calls a method that does not reply.
  func send(_ method: BusMethod, _ arguments: [Value]) {
    csecret_call(
      bus, method.name, method.path, method.interface, method.method, Self.tuple(arguments),
      method.reply, nil, nil, nil)
  }

  /// Who owns some bus names, asked all at once; nil for each that nobody owns.
  func owners(of names: [String]) throws(SecretServiceError) -> [String?] {
    let replies = try loop.call(
      each: names,
      { name, cancellable, callback, data in
        csecret_call(
          bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
          "GetNameOwner", Self.tuple([.string(name)]), "(s)", cancellable, callback, data)
      }, finish: { g_dbus_connection_call_finish(bus, $0, &$1) })
    return replies.map { reply in
      guard case .success(let reply?) = reply else { return nil }
      defer { g_variant_unref(reply) }
      guard case .string(let owner) = Value(first: reply) else { return nil }
      return owner
    }
  }

  /// The arguments of a method.
  static func tuple(_ values: [Value]) -> OpaquePointer? {
    let variants = values.map(\.variant)
    return g_variant_new_tuple(variants, gsize(variants.count))
  }

  private static func call(
    _ method: BusMethod, _ arguments: [Value], _ bus: OpaquePointer, _ loop: CallLoop
  ) throws(SecretServiceError) -> Value {
    let reply = try loop.call({ cancellable, callback, data in
      csecret_call(
        bus, method.name, method.path, method.interface, method.method, tuple(arguments),
        method.reply, cancellable, callback, data)
    }) { g_dbus_connection_call_finish(bus, $0, &$1) }
    guard let reply else { return .none }
    defer { g_variant_unref(reply) }
    return Value(first: reply)
  }
}
