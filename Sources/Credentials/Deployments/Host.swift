import Basics

/// The host and port of a URL (RFC 3986 §3.2), held to what a certificate can name.
enum Host {
  /// Splits and checks an authority; a default port disappears.
  static func canonical(
    _ authority: String, scheme: String
  ) throws(MalformedInput) -> (host: String, port: Int?) {
    let bytes = authority.utf8.map { $0.asciiLowercased }
    guard !bytes.isEmpty else { throw .url(reason: "the host is missing") }
    guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw .url(reason: "the host is not plain ASCII; write an international name as xn--…")
    }
    let hostEnd: Int
    if bytes[0] == UInt8(ascii: "[") {
      guard let bracket = bytes.firstIndex(of: UInt8(ascii: "]")) else {
        throw .url(reason: "the IPv6 address is not closed")
      }
      hostEnd = bracket + 1
    } else {
      hostEnd = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
    }
    let host = bytes[..<hostEnd]
    guard isAddress(host) || isName(host) else { throw .url(reason: "the host is malformed") }
    let port = try port(Array(bytes[hostEnd...]))
    let isDefault = (scheme == "https" && port == 443) || (scheme == "http" && port == 80)
    return (String(decoding: host, as: UTF8.self), isDefault ? nil : port)
  }

  private static func isName(_ host: ArraySlice<UInt8>) -> Bool {
    !host.isEmpty && host.count <= 255 && host.first != UInt8(ascii: ".")
      && host.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "-._".utf8.contains($0) }
  }

  private static func isAddress(_ host: ArraySlice<UInt8>) -> Bool {
    guard host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") else { return false }
    let inner = host.dropFirst().dropLast()
    return (2...45).contains(inner.count) && inner.contains(UInt8(ascii: ":"))
      && inner.allSatisfy { PercentEncoding.hexDigit($0) != nil || ":.".utf8.contains($0) }
  }

  private static func port(_ tail: [UInt8]) throws(MalformedInput) -> Int? {
    guard let colon = tail.first else { return nil }
    let digits = tail.dropFirst()
    guard colon == UInt8(ascii: ":"), digits.allSatisfy({ $0.isASCIIDigit }), digits.count <= 5
    else {
      throw .url(reason: "the port is malformed")
    }
    // RFC 3986 §3.2.3: "URI producers and normalizers should omit the port component and its ':'
    // delimiter if port is empty".
    if digits.isEmpty { return nil }
    guard let port = Int(String(decoding: digits, as: UTF8.self)), (1...65535).contains(port) else {
      throw .url(reason: "the port is malformed")
    }
    return port
  }
}
