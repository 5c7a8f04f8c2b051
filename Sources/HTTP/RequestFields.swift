import CCurl
import Glibc

/// A request's header fields as libcurl's list, wiped when it goes away.
final class RequestFields {
  private(set) var list: UnsafeMutablePointer<curl_slist>?

  /// Fields that frame the message or belong to the connection: the client's business alone.
  private static let reserved: Set<String> = [
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization",
    "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
  ]

  init(_ fields: [HTTPField]) throws(HTTPError) {
    var names: Set<String> = []
    for field in fields {
      guard Token.isToken(field.name) else {
        throw .refusedURL(reason: "a header field's name is not an HTTP token")
      }
      let name = field.name.lowercased()
      guard !Self.reserved.contains(name) else {
        throw .refusedURL(reason: "the header field \(field.name) cannot be set")
      }
      guard Token.isFieldValue(field.value) else {
        throw .refusedURL(
          reason: "the value of the header field \(field.name) holds a control character")
      }
      names.insert(name)
      let isEmpty = field.value.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 }
      // libcurl's notation: "Name;" sends an empty field, "Name:" sends none.
      append(isEmpty ? [field.name, ";"] : [field.name, ": ", field.value])
    }
    // libcurl adds these unasked: no waiting for "100 Continue", and no type the caller did
    // not give.
    append(["Expect:"])
    if !names.contains("content-type") { append(["Content-Type:"]) }
  }

  deinit {
    var node = list
    while let entry = node {
      if let data = entry.pointee.data { explicit_bzero(data, strlen(data)) }
      node = entry.pointee.next
    }
    curl_slist_free_all(list)
  }

  private func append(_ pieces: [String]) {
    var line: [CChar] = []
    line.reserveCapacity(pieces.reduce(1) { $0 + $1.utf8.count })
    for piece in pieces { line.append(contentsOf: piece.utf8.lazy.map { CChar(bitPattern: $0) }) }
    line.append(0)
    line.withUnsafeMutableBytes { bytes in
      list = curl_slist_append(list, bytes.assumingMemoryBound(to: CChar.self).baseAddress) ?? list
      if let start = bytes.baseAddress { explicit_bzero(start, bytes.count) }
    }
  }
}

/// What RFC 9110 allows in methods, field names and field values.
enum Token {
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
}
