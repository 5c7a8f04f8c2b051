import FoundationEssentials

/// Base 64 for URLs, without padding (RFC 4648 §5).
enum Base64URL {
  static func encoded(_ bytes: [UInt8]) -> String {
    let text = Data(bytes).base64EncodedString()
    let letters = text.utf8.compactMap { byte -> UInt8? in
      switch byte {
      case UInt8(ascii: "+"): UInt8(ascii: "-")
      case UInt8(ascii: "/"): UInt8(ascii: "_")
      case UInt8(ascii: "="): nil
      default: byte
      }
    }
    return String(decoding: letters, as: UTF8.self)
  }
}
