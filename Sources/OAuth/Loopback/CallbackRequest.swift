/// The head of one HTTP request to the loopback receiver (RFC 9112 §3), as far as it matters.
///
/// The request line says everything. Of the fields only two kinds are kept: which host is meant,
/// and whether a page is fetched in advance. Browsers send the cookies of every program that ever
/// served a page on 127.0.0.1, whatever its port, so fields may be long.
struct CallbackRequest {
  /// The longest request line read, in bytes.
  static let lineLimit = 16_384
  /// The longest head read, in bytes.
  static let headLimit = 131_072

  let method: String
  let path: String
  let query: String
  let hosts: [String]
  let isPrefetch: Bool

  /// What the bytes so far amount to.
  enum Reading {
    case incomplete
    case malformed
    case tooLarge
    case complete(CallbackRequest)
  }

  static func read(_ bytes: [UInt8]) -> Reading {
    let newline = UInt8(ascii: "\n")
    guard let lineEnd = bytes.firstIndex(of: newline) else {
      return bytes.count > lineLimit ? .tooLarge : .incomplete
    }
    guard lineEnd <= lineLimit else { return .tooLarge }
    // HTTP/0.9 has no version and sends no fields: waiting for their end would be in vain.
    guard let line = requestLine(withoutReturn(bytes[..<lineEnd])) else { return .malformed }
    var fields: [(name: String, value: String)] = []
    var start = lineEnd + 1
    while let end = bytes[start...].firstIndex(of: newline), end <= headLimit {
      let text = withoutReturn(bytes[start..<end])
      if text.isEmpty { return complete(line, fields) }
      guard let colon = separator(text) else { return .malformed }
      let name = String(decoding: text[..<colon], as: UTF8.self).lowercased()
      if name == "host" || purposes.contains(name) {
        fields.append((name, value(text[(colon + 1)...])))
      }
      start = end + 1
    }
    return bytes.count > headLimit ? .tooLarge : .incomplete
  }

  /// The fields by which browsers say that nobody looks at the page yet.
  private static let purposes = ["purpose", "sec-purpose", "x-purpose", "x-moz"]

  private static func complete(
    _ line: (method: String, target: String), _ fields: [(name: String, value: String)]
  ) -> Reading {
    // RFC 9112 §3.2.2: "When an origin server receives a request with an absolute-form of
    // request-target, the origin server MUST ignore the received Host header field (if any) and
    // instead use the host information of the request-target."
    var hosts = fields.filter { $0.name == "host" }.map(\.value)
    var target = line.target[...]
    if target.lowercased().hasPrefix("http://") {
      let authority = target.dropFirst(7).prefix { $0 != "/" && $0 != "?" }
      hosts = [String(authority)]
      target = target[authority.endIndex...]
    }
    let path = target.prefix { $0 != "?" }
    return .complete(
      CallbackRequest(
        method: line.method, path: String(path),
        query: String(target[path.endIndex...].dropFirst()), hosts: hosts,
        isPrefetch: fields.contains {
          purposes.contains($0.name) && $0.value.lowercased().hasPrefix("prefetch")
        }))
  }

  /// RFC 9112 §3: "request-line = method SP request-target SP HTTP-version"
  private static func requestLine(
    _ bytes: ArraySlice<UInt8>
  ) -> (method: String, target: String)? {
    guard bytes.allSatisfy({ (0x20...0x7E).contains($0) }) else { return nil }
    let parts = bytes.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    guard parts.count == 3, ["HTTP/1.1", "HTTP/1.0"].contains(parts[2]), !parts[0].isEmpty else {
      return nil
    }
    return (parts[0], parts[1])
  }

  /// The colon of a field line; nil when it is none.
  ///
  /// RFC 9112 §5: "field-line = field-name ":" OWS field-value OWS".
  private static func separator(_ bytes: ArraySlice<UInt8>) -> Int? {
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > bytes.startIndex,
      bytes[..<colon].allSatisfy({ (0x21...0x7E).contains($0) }),
      bytes.allSatisfy({ $0 >= 0x20 || $0 == UInt8(ascii: "\t") })
    else { return nil }
    return colon
  }

  private static func value(_ bytes: ArraySlice<UInt8>) -> String {
    let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    let value = bytes.drop(while: isBlank)
    let end = value.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? value.startIndex
    return String(decoding: value[..<end], as: UTF8.self)
  }

  /// RFC 9112 §2.2: "a recipient MAY recognize a single LF as a line terminator and ignore any
  /// preceding CR."
  private static func withoutReturn(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    line.last == UInt8(ascii: "\r") ? line.dropLast() : line
  }
}
