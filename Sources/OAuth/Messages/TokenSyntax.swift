/// What a token, a secret, an identifier or a scope may consist of.
enum TokenSyntax {
  /// The longest token, secret or identifier kept, in bytes: more than common servers take in a
  /// header, and so little that two of them fit into one item of the keyring.
  static let keptLimit = 24_576

  /// Whether a token, secret or identifier is one word of visible ASCII without `"` and `\`.
  ///
  /// RFC 6749 Appendix A allows blanks, quotes and backslashes. They are refused, because what is
  /// kept must need no escape in JSON and fit on one line of any protocol.
  static func isWord(_ text: String, limit: Int = keptLimit) -> Bool {
    !text.isEmpty && text.utf8.count <= limit && text.utf8.allSatisfy(isWordByte)
  }

  /// Whether a text is a scope: words with blanks between them.
  ///
  /// RFC 6749 §3.3: "scope-token = 1*( %x21 / %x23-5B / %x5D-7E )".
  static func isScope(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= keptLimit
      && text.utf8.allSatisfy { $0 == UInt8(ascii: " ") || isWordByte($0) }
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
  }
}
