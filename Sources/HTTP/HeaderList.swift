import CCurl
import Glibc

/// A request's header fields as libcurl's list, wiped when it goes away.
final class HeaderList {
  private(set) var list: UnsafeMutablePointer<curl_slist>?

  /// Fields that frame the message or belong to the connection: the client sets them itself.
  private static let reserved: Set<String> = [
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization",
    "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
  ]

  /// `curl_slist_append`: nil when there is no memory, and the list stays as it was.
  typealias Append = (
    UnsafeMutablePointer<curl_slist>?, UnsafePointer<CChar>?
  ) -> UnsafeMutablePointer<curl_slist>?

  /// Checks and copies the fields.
  ///
  /// - Throws: `refusedURL` for a field that cannot be sent, `libraryUnusable` when there is no
  ///   memory for one: a request that lacks a field, its `Authorization` say, is another request.
  init(
    _ fields: [HTTPField], appendingWith append: Append = { ccurl_slist_append($0, $1) }
  ) throws(HTTPError) {
    var names: Set<String> = []
    var lines: [[String]] = []
    for field in fields {
      try Self.check(field)
      names.insert(field.name.lowercased())
      let isEmpty = field.value.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 }
      // libcurl's notation: "Name;" sends an empty field, "Name:" sends none.
      lines.append(isEmpty ? [field.name, ";"] : [field.name, ": ", field.value])
    }
    // libcurl adds these unasked: no waiting for "100 Continue", and no type the caller did
    // not give.
    lines.append(["Expect:"])
    if !names.contains("content-type") { lines.append(["Content-Type:"]) }
    for line in lines {
      guard let longer = Self.withWipedLine(line, { append(list, $0) }) else {
        throw .libraryUnusable(reason: "there is no memory for the request's header")
      }
      list = longer
    }
  }

  deinit {
    var node = list
    while let entry = node {
      if let data = entry.pointee.data { explicit_bzero(data, strlen(data)) }
      node = entry.pointee.next
    }
    if let list { ccurl_slist_free_all(list) }
  }

  private static func check(_ field: HTTPField) throws(HTTPError) {
    guard FieldSyntax.isToken(field.name) else {
      throw .refusedURL(reason: "a header field's name is not an HTTP token")
    }
    guard !reserved.contains(field.name.lowercased()) else {
      throw .refusedURL(reason: "the header field \(field.name) cannot be set")
    }
    guard FieldSyntax.isFieldValue(field.value) else {
      throw .refusedURL(
        reason: "the value of the header field \(field.name) holds a control character")
    }
  }

  private static func withWipedLine<Result>(
    _ pieces: [String], _ body: (UnsafePointer<CChar>?) -> Result
  ) -> Result {
    var line: [CChar] = []
    line.reserveCapacity(pieces.reduce(1) { $0 + $1.utf8.count })
    for piece in pieces { line.append(contentsOf: piece.utf8.lazy.map { CChar(bitPattern: $0) }) }
    line.append(0)
    return line.withUnsafeMutableBufferPointer { buffer in
      defer { if let start = buffer.baseAddress { explicit_bzero(start, buffer.count) } }
      return body(UnsafePointer(buffer.baseAddress))
    }
  }
}
