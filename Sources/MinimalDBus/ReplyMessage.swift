/// A received message taken apart (D-Bus Specification, "Message Format").
struct ReplyMessage {
  /// The length of what comes before the header's fields, theirs included, in bytes.
  static let prefix = 16

  /// Whether it is a METHOD_RETURN.
  let isReturn: Bool
  /// The serial of the call that it answers, or nil.
  private(set) var replySerial: Int?
  /// The types of its body.
  private(set) var signature = ""
  /// The arguments.
  let body: [UInt8]
  /// How long all of it is, in bytes.
  let length: Int

  /// Takes the first message from what was received.
  ///
  /// - Returns: nil while it is not whole.
  init?(_ received: [UInt8], atMost limit: Int) throws(BusError) {
    guard received.count >= Self.prefix else { return nil }
    var header = MessageReader(Array(received[..<Self.prefix]))
    guard try header.byte() == UInt8(ascii: "l") else { throw .malformed }
    // METHOD_RETURN is 2. Flags, version and serial tell us nothing.
    isReturn = try header.byte() == 2
    try header.align(4)
    let bodyLength = try header.number()
    _ = try header.number()
    let start = Self.prefix + (try header.number() + 7) / 8 * 8
    length = start + bodyLength
    guard length <= limit else { throw .malformed }
    guard received.count >= length else { return nil }
    body = Array(received[start..<length])
    // The array of fields begins with its length, at a multiple of 4 but not of 8.
    var fields = MessageReader(Array(received[8..<start]), at: 4)
    try fields.array(alignment: 8) { field throws(BusError) in
      switch (try field.byte(), try field.signature()) {
      case (5, "u") where replySerial == nil: replySerial = try field.number()
      case (8, "g") where signature.isEmpty: signature = try field.signature()
      // Either has one type, and comes once.
      case (5, _), (8, _): throw .malformed
      // Fields of other codes are to be ignored, whatever their type.
      case (_, "u"): _ = try field.number()
      case (_, "g"): _ = try field.signature()
      default: _ = try field.text()
      }
    }
  }
}
