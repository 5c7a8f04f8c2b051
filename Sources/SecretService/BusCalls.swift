internal import CSecret

/// Calls that libsecret does not make, or makes only through objects that watch what they stand for.
extension ServiceConnection {
  /// A method of some program on the bus, and the type of its reply.
  struct BusMethod {
    let name: String
    let path: String
    let interface: String
    let method: String
    let reply: String

    /// A method of the bus itself.
    static func ofBus(_ method: String, reply: String) -> BusMethod {
      BusMethod(
        name: "org.freedesktop.DBus", path: "/org/freedesktop/DBus",
        interface: "org.freedesktop.DBus", method: method, reply: reply)
    }
  }

  /// A method, and what it is called with.
  typealias BusCall = (method: BusMethod, arguments: [Value])

  /// What such methods take and reply.
  enum Value {
    case string(String)
    case objectPath(String)
    case uint32(UInt32)
    case int32(Int32)
    case int64(Int)
    case bool(Bool)
    /// A list in a reply, by its length.
    case list(count: Int)
    /// An argument of another type; one of GLib's floating references.
    case other(OpaquePointer)
    case none
  }

  /// A method of an object of the service.
  func method(
    _ method: String, of path: String, _ interface: String, reply: String
  ) -> BusMethod {
    BusMethod(name: owner, path: path, interface: interface, method: method, reply: reply)
  }

  /// Reads a property of an object of the service.
  func get(_ property: String, of path: String, _ interface: String) -> BusCall {
    let method = method("Get", of: path, "org.freedesktop.DBus.Properties", reply: "(v)")
    return (method, [.string(interface), .string(property)])
  }

  /// Calls a method and hands out the first value of its reply.
  func call(_ method: BusMethod, _ arguments: [Value]) throws(SecretServiceError) -> Value {
    try Self.call(method, arguments, bus, loop)
  }

  /// Calls methods, all at once, and hands out the first value of each reply.
  func call(
    _ calls: [BusCall]
  ) throws(SecretServiceError) -> [Outcome<Value>] {
    try replies(to: calls).map(Self.firstValue)
  }

  /// Calls methods, all at once, and hands out their replies, which the caller frees.
  ///
  /// - Parameters:
  ///   - calls: the methods.
  ///   - startAnother: starts another call after these, whose result nobody needs.
  /// - Returns: the replies, in order.
  /// - Throws: `timedOut`.
  func replies(
    to calls: [BusCall], beside startAnother: CallLoop.Start? = nil
  ) throws(SecretServiceError) -> [Outcome<OpaquePointer?>] {
    try Self.replies(to: calls, bus, loop, beside: startAnother)
  }

  /// Calls a method that does not reply.
  func send(_ method: BusMethod, _ arguments: [Value]) {
    Self.start((method, arguments), bus, nil, nil, nil)
  }

  /// Calls a method while there is no connection to a service, and hands out the first value of its
  /// reply.
  static func call(
    _ method: BusMethod, _ arguments: [Value], _ bus: OpaquePointer, _ loop: CallLoop
  ) throws(SecretServiceError) -> Value {
    try call([(method, arguments)], bus, loop)[0].get()
  }

  /// Calls methods while there is no connection to a service, all at once, and hands out the first
  /// value of each reply.
  static func call(
    _ calls: [BusCall], _ bus: OpaquePointer, _ loop: CallLoop
  ) throws(SecretServiceError) -> [Outcome<Value>] {
    try replies(to: calls, bus, loop).map(firstValue)
  }

  private static func replies(
    to calls: [BusCall], _ bus: OpaquePointer, _ loop: CallLoop,
    beside startAnother: CallLoop.Start? = nil
  ) throws(SecretServiceError) -> [Outcome<OpaquePointer?>] {
    try loop.call(
      each: calls, { start($0, bus, $1, $2, $3) },
      finish: { g_dbus_connection_call_finish(bus, $0, &$1) }, beside: startAnother)
  }

  private static func start(
    _ call: BusCall, _ bus: OpaquePointer, _ cancellable: UnsafeMutablePointer<GCancellable>?,
    _ callback: GAsyncReadyCallback?, _ data: UnsafeMutableRawPointer?
  ) {
    let method = call.method
    let variants = call.arguments.map(\.variant)
    csecret_call(
      bus, method.name, method.path, method.interface, method.method,
      g_variant_new_tuple(variants, gsize(variants.count)), method.reply, cancellable, callback,
      data)
  }

  /// The first value of a reply, which is freed.
  static func firstValue(
    of reply: Outcome<OpaquePointer?>
  ) -> Outcome<Value> {
    reply.map { reply in
      guard let reply else { return Value.none }
      defer { g_variant_unref(reply) }
      return Value(firstOf: reply)
    }
  }
}

extension ServiceConnection.Value {
  fileprivate var variant: OpaquePointer? {
    switch self {
    case .string(let value): g_variant_new_string(value)
    case .objectPath(let value): g_variant_new_object_path(value)
    case .uint32(let value): g_variant_new_uint32(value)
    case .int32(let value): g_variant_new_int32(value)
    case .int64(let value): g_variant_new_int64(value)
    case .bool(let value): g_variant_new_boolean(value ? 1 : 0)
    case .other(let value): value
    case .list, .none: nil
    }
  }

  /// The first value of a reply, out of its variant if it is in one; `none` for one that is of none
  /// of these types.
  init(firstOf reply: OpaquePointer) {
    self = .none
    guard g_variant_n_children(reply) > 0, let first = g_variant_get_child_value(reply, 0) else {
      return
    }
    defer { g_variant_unref(first) }
    let type = String(cString: g_variant_get_type_string(first))
    switch type {
    case "s": self = .string(String(cString: g_variant_get_string(first, nil)))
    case "o": self = .objectPath(String(cString: g_variant_get_string(first, nil)))
    case "u": self = .uint32(g_variant_get_uint32(first))
    case "i": self = .int32(g_variant_get_int32(first))
    case "b": self = .bool(g_variant_get_boolean(first) != 0)
    // A variant has one child as well.
    case "v": self = Self(firstOf: first)
    case _ where type.hasPrefix("a"): self = .list(count: Int(g_variant_n_children(first)))
    default: break
    }
  }
}
