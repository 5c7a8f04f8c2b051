internal import CSecret

/// A `GVariant` and our reference to it: what D-Bus messages are made of.
final class Variant {
  let pointer: OpaquePointer

  /// Takes a new value, floating or owned, and keeps one reference.
  init(taking pointer: OpaquePointer) {
    self.pointer = g_variant_take_ref(pointer)
  }

  deinit {
    g_variant_unref(pointer)
  }
}

/// Building arguments.
extension Variant {
  /// Strings hold no NUL: ``SecretService`` refuses them before it gets here.
  static func string(_ value: String) -> Variant {
    Variant(taking: g_variant_new_string(value))
  }

  /// Only paths that a service sent, which GDBus has checked, or constants.
  static func path(_ value: String) -> Variant {
    Variant(taking: g_variant_new_object_path(value))
  }

  static func bool(_ value: Bool) -> Variant {
    Variant(taking: g_variant_new_boolean(value ? 1 : 0))
  }

  static func uint32(_ value: UInt32) -> Variant {
    Variant(taking: g_variant_new_uint32(value))
  }

  static func tuple(_ children: [Variant]) -> Variant {
    withPointers(children) { g_variant_new_tuple($0, gsize($0.count)) }
  }

  static func array(_ type: String, _ children: [Variant]) -> Variant {
    let element = g_variant_type_new(type)
    defer { g_variant_type_free(element) }
    return withPointers(children) { g_variant_new_array(element, $0, gsize($0.count)) }
  }

  /// `a{ss}`
  static func strings(_ values: [String: String]) -> Variant {
    array("{ss}", values.map { entry(.string($0.key), .string($0.value)) })
  }

  /// `a{sv}`
  static func properties(_ values: [String: Variant]) -> Variant {
    array("{sv}", values.map { entry(.string($0.key), boxed($0.value)) })
  }

  private static func boxed(_ value: Variant) -> Variant {
    withPointers([value]) { g_variant_new_variant($0[0]) }
  }

  private static func entry(_ key: Variant, _ value: Variant) -> Variant {
    withPointers([key, value]) { g_variant_new_dict_entry($0[0], $0[1]) }
  }

  /// The new container holds references of its own; until then ours must live.
  private static func withPointers(
    _ children: [Variant], _ make: ([OpaquePointer?]) -> OpaquePointer
  ) -> Variant {
    withExtendedLifetime(children) { Variant(taking: make(children.map(\.pointer))) }
  }
}

/// Reading answers. Their types were checked against the specification's when they arrived.
extension Variant {
  var count: Int { Int(g_variant_n_children(pointer)) }

  /// The child of a container; the caller keeps within ``count``.
  subscript(index: Int) -> Variant {
    Variant(taking: g_variant_get_child_value(pointer, gsize(index)))
  }

  var children: [Variant] { (0..<count).map { self[$0] } }

  func hasType(_ text: String) -> Bool {
    guard let type = g_variant_type_new(text) else { return false }
    defer { g_variant_type_free(type) }
    return g_variant_is_of_type(pointer, type) != 0
  }

  /// The text of an `s` or `o`.
  var text: String? {
    guard hasType("s") || hasType("o") else { return nil }
    return g_variant_get_string(pointer, nil).map { String(cString: $0) }
  }

  var bool: Bool? { hasType("b") ? g_variant_get_boolean(pointer) != 0 : nil }

  var uint64: UInt64? { hasType("t") ? UInt64(g_variant_get_uint64(pointer)) : nil }

  var uint32: UInt32? { hasType("u") ? g_variant_get_uint32(pointer) : nil }

  /// The content of a `v`, or the value itself.
  var unboxed: Variant {
    hasType("v") ? Variant(taking: g_variant_get_variant(pointer)) : self
  }

  /// An `a{ss}`.
  var strings: [String: String]? {
    guard hasType("a{ss}") else { return nil }
    var result: [String: String] = [:]
    for entry in children {
      if let key = entry[0].text, let value = entry[1].text { result[key] = value }
    }
    return result
  }

  /// An `a{sv}`.
  var properties: [String: Variant] {
    guard hasType("a{sv}") else { return [:] }
    var result: [String: Variant] = [:]
    for entry in children {
      if let key = entry[0].text { result[key] = entry[1].unboxed }
    }
    return result
  }
}
