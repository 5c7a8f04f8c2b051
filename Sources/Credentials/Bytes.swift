extension UInt8 {
  var isASCIILetter: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
  /// A blank or a line break.
  var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
  var isASCIIDigit: Bool { (0x30...0x39).contains(self) }
  var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }

  /// The characters of RFC 3986 §3.3 `pchar` that mean nothing to a shell, for paths end up in the
  /// commands we tell people to run.
  var isPathCharacter: Bool {
    isASCIILetter || isASCIIDigit || "-._~+,=:@".utf8.contains(self)
  }

  /// RFC 9110 §5.6.2 `tchar`: what a token such as the name of an authentication scheme consists of.
  var isTokenCharacter: Bool {
    isASCIILetter || isASCIIDigit || "!#$%&'*+-.^_`|~".utf8.contains(self)
  }

  var hexValue: UInt8? {
    switch self {
    case 0x30...0x39: self - 0x30
    case 0x41...0x46: self - 0x41 + 10
    case 0x61...0x66: self - 0x61 + 10
    default: nil
    }
  }
}

/// Percent-encoding (RFC 3986 §2.1).
enum PercentEncoding {
  static func encode(_ bytes: some Sequence<UInt8>, keeping isKept: (UInt8) -> Bool) -> String {
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

  static func decode(_ bytes: ArraySlice<UInt8>) throws(MalformedInput) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var index = bytes.startIndex
    while index < bytes.endIndex {
      guard bytes[index] == UInt8(ascii: "%") else {
        decoded.append(bytes[index])
        index += 1
        continue
      }
      guard index + 2 < bytes.endIndex, let high = bytes[index + 1].hexValue,
        let low = bytes[index + 2].hexValue
      else { throw .url(reason: "a percent sign is not followed by two hexadecimal digits") }
      decoded.append(high << 4 | low)
      index += 3
    }
    return decoded
  }
}
