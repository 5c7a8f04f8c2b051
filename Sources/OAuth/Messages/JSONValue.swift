/// One JSON value (RFC 8259 §3), kept so that it can be written again unchanged.
indirect enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case string(String)
  /// As it was written.
  case number(String)
  case array([JSONValue])
  case object([Member])

  struct Member: Equatable, Sendable {
    let name: String
    let value: JSONValue
  }

  /// A number that a `Double` can hold, or a string of digits; nil for anything else.
  var double: Double? {
    switch self {
    case .number(let text): Double(text).flatMap { $0.isFinite ? $0 : nil }
    // Servers written in untyped languages quote their numbers.
    case .string(let text) where !text.isEmpty:
      text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") })
        ? Double(text).map { min($0, .greatestFiniteMagnitude) } : nil
    default: nil
    }
  }

  /// The value as JSON without blanks.
  var text: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .string(let text): Self.quoted(text)
    case .number(let text): text
    case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { Self.quoted($0.name) + ":" + $0.value.text }.joined(separator: ",") + "}"
    }
  }

  /// RFC 8259 §7: "All Unicode characters may be placed within the quotation marks, except for the
  /// characters that MUST be escaped: quotation mark, reverse solidus, and the control characters".
  private static func quoted(_ text: String) -> String {
    var bytes: [UInt8] = [UInt8(ascii: "\"")]
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case ..<0x20:
        let digits = String(byte, radix: 16)
        bytes += Array("\\u00\(byte < 16 ? "0" : "")\(digits)".utf8)
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes + [UInt8(ascii: "\"")], as: UTF8.self)
  }
}
