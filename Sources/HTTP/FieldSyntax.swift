/// What RFC 9110 allows in field names and field values.
enum FieldSyntax {
  /// RFC 9110 §5.6.2: "token = 1*tchar".
  static func isToken(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy(isTokenByte)
  }

  static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default:
      "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  /// RFC 9110 §5.5: "Field values containing CR, LF, or NUL characters are invalid and
  /// dangerous"; other control characters but the tab are invalid as well.
  static func isFieldValue(_ text: String) -> Bool {
    text.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
  }

  /// RFC 9110 §5.5: "A field value does not include leading or trailing whitespace", which is
  /// blanks and tabs (§5.6.3).
  static func withoutBlanks(_ bytes: some BidirectionalCollection<UInt8>) -> String {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    guard let last = bytes.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(decoding: bytes[...last].drop(while: isBlank), as: UTF8.self)
  }
}
