/// The five components of RFC 3986 section 3, split without judging or normalising them.
struct URIReference: Sendable, Equatable {
  var scheme = ""
  var authority: String?
  var path = ""
  var query: String?
  var fragment: String?

  /// Nil when the text has no scheme, a space or a control character.
  init?(_ text: String) {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { return nil }
    guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else { return nil }
    scheme = text[..<colon].lowercased()
    guard let first = scheme.utf8.first, UInt8(ascii: "a")...UInt8(ascii: "z") ~= first,
      scheme.utf8.allSatisfy({
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
          true
        default: false
        }
      })
    else { return nil }
    var rest = text[text.index(after: colon)...]
    if let mark = rest.firstIndex(of: "#") {
      fragment = String(rest[rest.index(after: mark)...])
      rest = rest[..<mark]
    }
    if let mark = rest.firstIndex(of: "?") {
      query = String(rest[rest.index(after: mark)...])
      rest = rest[..<mark]
    }
    if rest.hasPrefix("//") {
      rest = rest.dropFirst(2)
      let end = rest.firstIndex(of: "/") ?? rest.endIndex
      authority = String(rest[..<end])
      rest = rest[end...]
    }
    path = String(rest)
  }

  var hostAndPort: String {
    guard let authority else { return "" }
    guard let at = authority.lastIndex(of: "@") else { return authority }
    return String(authority[authority.index(after: at)...])
  }

  /// Without brackets, in lower case.
  var host: String {
    let text = hostAndPort.lowercased()
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
      return String(text[text.index(after: text.startIndex)..<end])
    }
    return String(text.prefix { $0 != ":" })
  }

  var port: Int? {
    let text = hostAndPort
    let tail = text.hasPrefix("[") ? text.drop { $0 != "]" } : text[...]
    guard let colon = tail.lastIndex(of: ":") else { return nil }
    return Int(tail[tail.index(after: colon)...])
  }

  static let loopbackHosts = ["localhost", "127.0.0.1", "::1"]

  /// Case, default port and a trailing slash do not count when audiences are compared.
  static func normalised(_ text: String) -> String {
    guard let uri = URIReference(text) else { return text }
    let standard = uri.scheme == "https" ? 443 : uri.scheme == "http" ? 80 : nil
    let port = uri.port.flatMap { $0 == standard ? nil : ":\($0)" } ?? ""
    var path = uri.path
    while path.hasSuffix("/") { path.removeLast() }
    return uri.scheme + "://" + uri.host + port + path + (uri.query.map { "?" + $0 } ?? "")
  }
}
