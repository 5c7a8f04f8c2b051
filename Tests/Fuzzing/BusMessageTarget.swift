import CGLib

@testable import MinimalDBus

extension FuzzTarget {
  /// One message from a bus, read by hand and by GDBus: what both take says the same to both.
  static let busMessage = FuzzTarget(name: "bus-message") { bytes in
    guard let message = try? ReplyMessage(bytes, atMost: BusConnection.maximumBytes) else { return }
    expect(message.length <= bytes.count, "a message ends where the bytes do")
    expect(message.length >= ReplyMessage.prefix, "a message has a header")
    let known = ["v", "vo", "aoao", "(oayays)", "s", "o", "ao", "a{ss}", "b", "u", "as"]
    var reader = MessageReader(message.body)
    var ours: [String] = []
    let isRead =
      known.contains(message.signature)
      && (try? read(Array(message.signature.utf8)[...], &reader, &ours)) != nil
    guard let theirs = GLibMessage(Array(bytes[..<message.length])) else { return }
    expect(message.isReturn == theirs.isReturn, "one type")
    expect(message.signature == theirs.signature, "one signature")
    if message.isReturn {
      expect(message.replySerial == theirs.replySerial, "one call that is replied to")
    }
    if isRead { expect(ours == theirs.values, "one body: \(ours) and \(theirs.values)") }
  }
}

/// Appends the values of complete types to a list, as ``GLibMessage/values`` has them.
private func read(
  _ types: ArraySlice<UInt8>, _ reader: inout MessageReader, _ values: inout [String]
) throws(BusError) {
  var types = types
  while let type = types.popFirst() {
    switch type {
    case UInt8(ascii: "("): try reader.align(8)
    case UInt8(ascii: ")"): break
    case UInt8(ascii: "s"), UInt8(ascii: "o"): values.append(try reader.text())
    case UInt8(ascii: "u"): values.append("\(try reader.number())")
    case UInt8(ascii: "b"):
      // The fast path goes on for a plain no only, and leaves the rest to the full program.
      guard try reader.number() == 0 else { throw .malformed }
      values.append("false")
    case UInt8(ascii: "v"):
      // Within a variant only what has a fixed place is asked for.
      let inner = try reader.signature()
      guard ["s", "o", "b", "u", "ay", "ao", "as", "a{ss}"].contains(inner) else {
        throw .malformed
      }
      try read(Array(inner.utf8)[...], &reader, &values)
    case UInt8(ascii: "a"):
      switch types.first {
      case UInt8(ascii: "y"):
        values.append(contentsOf: try reader.data().map { "\($0)" })
        types.removeFirst()
      case UInt8(ascii: "{"):
        try reader.array(alignment: 8) { pair throws(BusError) in
          values.append(try pair.text())
          values.append(try pair.text())
        }
        types.removeFirst(4)
      default:
        values.append(contentsOf: try reader.texts())
        types.removeFirst()
      }
    default: throw .malformed
    }
  }
}

/// A message as GDBus reads it.
private struct GLibMessage {
  let isReturn: Bool
  let signature: String
  let replySerial: Int
  private(set) var values: [String] = []

  /// Reads a message; nil when GDBus does not take it.
  init?(_ bytes: [UInt8]) {
    var copy = bytes
    guard
      let message = g_dbus_message_new_from_blob(
        &copy, gsize(copy.count), GDBusCapabilityFlags(rawValue: 0), nil)
    else { return nil }
    defer { g_object_unref(UnsafeMutableRawPointer(message)) }
    isReturn = g_dbus_message_get_message_type(message).rawValue == 2
    signature = g_dbus_message_get_signature(message).map { String(cString: $0) } ?? ""
    replySerial = Int(g_dbus_message_get_reply_serial(message))
    if let body = g_dbus_message_get_body(message) {
      // The body is one tuple of the arguments.
      for index in 0..<g_variant_n_children(body) { append(g_variant_get_child_value(body, index)) }
    }
  }

  private mutating func append(_ value: OpaquePointer?) {
    guard let value else { return }
    defer { g_variant_unref(value) }
    switch UInt8(truncatingIfNeeded: Int(g_variant_classify(value).rawValue)) {
    case UInt8(ascii: "s"), UInt8(ascii: "o"), UInt8(ascii: "g"):
      values.append(String(cString: g_variant_get_string(value, nil)))
    case UInt8(ascii: "u"): values.append("\(g_variant_get_uint32(value))")
    case UInt8(ascii: "b"): values.append(g_variant_get_boolean(value) == 0 ? "false" : "true")
    case UInt8(ascii: "y"): values.append("\(g_variant_get_byte(value))")
    case UInt8(ascii: "a"), UInt8(ascii: "("), UInt8(ascii: "{"), UInt8(ascii: "v"):
      for index in 0..<g_variant_n_children(value) {
        append(g_variant_get_child_value(value, index))
      }
    default: values.append("another type")
    }
  }
}
