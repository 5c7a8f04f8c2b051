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
}
