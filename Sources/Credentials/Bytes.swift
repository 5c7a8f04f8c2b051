extension UInt8 {
  var isASCIILetter: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
  var isASCIIDigit: Bool { (0x30...0x39).contains(self) }
  var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }

  /// The characters of RFC 3986 §3.3 `pchar` that mean nothing to a shell, for paths end up in the
  /// commands we tell people to run.
  var isPathCharacter: Bool {
    isASCIILetter || isASCIIDigit || "-._~+,=:@".utf8.contains(self)
  }
}
