internal import CGLib

extension UInt32 {
  /// A `u` within a tuple.
  init?(child index: gsize, of tuple: OpaquePointer) {
    guard index < g_variant_n_children(tuple) else { return nil }
    let value = g_variant_get_child_value(tuple, index)
    defer { g_variant_unref(value) }
    guard g_variant_classify(value) == G_VARIANT_CLASS_UINT32 else { return nil }
    self = g_variant_get_uint32(value)
  }
}

extension String {
  /// An `s` within a tuple or an array.
  init?(child index: gsize, of container: OpaquePointer) {
    guard index < g_variant_n_children(container) else { return nil }
    let value = g_variant_get_child_value(container, index)
    defer { g_variant_unref(value) }
    guard g_variant_classify(value) == G_VARIANT_CLASS_STRING,
      let text = g_variant_get_string(value, nil)
    else { return nil }
    self.init(cString: text)
  }
}
