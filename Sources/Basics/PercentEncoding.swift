/// Percent-encoding (RFC 3986 §2.1), and the form encoding made of it.
public enum PercentEncoding {
  /// Encodes every byte but those that are kept.
  public static func encode(
    _ bytes: some Sequence<UInt8>, keeping isKept: (UInt8) -> Bool
  ) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var encoded: [UInt8] = []
    for byte in bytes {
      if isKept(byte) {
        encoded.append(byte)
      } else {
        encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }

  /// Decodes every escape once; nil when a percent sign is not followed by two hexadecimal digits.
  public static func decode(_ bytes: some Sequence<UInt8>) -> [UInt8]? {
    var decoded: [UInt8] = []
    var iterator = bytes.makeIterator()
    while let byte = iterator.next() {
      guard byte == UInt8(ascii: "%") else {
        decoded.append(byte)
        continue
      }
      guard let high = iterator.next().flatMap(hexDigit),
        let low = iterator.next().flatMap(hexDigit)
      else { return nil }
      decoded.append(high << 4 | low)
    }
    return decoded
  }

  /// The same as text; nil also when the result is not UTF-8.
  public static func decodeText(_ bytes: some Sequence<UInt8>) -> String? {
    decode(bytes).flatMap { String(validating: $0, as: UTF8.self) }
  }

  /// A value in `application/x-www-form-urlencoded` (RFC 6749 Appendix B).
  public static func encodeForm(_ value: String) -> String {
    let encoded = encode(value.utf8) { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
      default: "-._ ".utf8.contains(byte)
      }
    }
    return String(decoding: encoded.utf8.map { $0 == 0x20 ? UInt8(ascii: "+") : $0 }, as: UTF8.self)
  }

  /// A value out of `application/x-www-form-urlencoded`; nil when an escape is broken or the
  /// result is not UTF-8.
  public static func decodeForm(_ bytes: some Sequence<UInt8>) -> String? {
    decode(bytes.lazy.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 })
      .flatMap { String(validating: $0, as: UTF8.self) }
  }

  /// The value of a hexadecimal digit; nil for any other byte.
  public static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}
