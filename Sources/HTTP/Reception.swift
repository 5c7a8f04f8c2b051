/// An answer while it comes in: fed by libcurl's callbacks, bounded at every byte.
final class Reception {
  /// Where in the answer the next header line belongs.
  private enum Place { case statusLine, fields, afterFields }

  private let maximumHeaderBytes: Int
  private let maximumBodyBytes: Int
  /// Takes the status and pieces of the body in place of ``body``.
  private let receive: ((Int, UnsafeRawBufferPointer) -> Bool)?
  private var place = Place.statusLine
  private var status = 0
  private var fields: [HTTPField] = []
  private var body: [UInt8] = []
  private var headerBytes = 0
  private var bodyBytes = 0
  /// Why a callback stopped the transfer, if one did.
  private(set) var failure: HTTPError?

  init(
    maximumHeaderBytes: Int, maximumBodyBytes: Int,
    receive: ((Int, UnsafeRawBufferPointer) -> Bool)? = nil
  ) {
    self.maximumHeaderBytes = maximumHeaderBytes
    self.maximumBodyBytes = maximumBodyBytes
    self.receive = receive
    // Room for any usual answer at once: a token in it is not left behind in outgrown buffers.
    if receive == nil { body.reserveCapacity(16_384) }
  }

  /// Whether any line of an answer came.
  var hasBegun: Bool { headerBytes > 0 }

  /// The answer, once libcurl says that it is complete.
  var response: HTTPResponse? {
    place == .afterFields ? HTTPResponse(status: status, headers: fields, body: body) : nil
  }

  /// Takes decoded bytes of the body; false stops the transfer.
  func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
    guard place == .afterFields else {
      return stop(.broken(reason: "a body came before the end of the header fields"))
    }
    guard bytes.count <= maximumBodyBytes - bodyBytes else {
      return stop(.tooLarge(reason: "the answer's body is over \(maximumBodyBytes) bytes"))
    }
    bodyBytes += bytes.count
    guard let receive else {
      body.append(contentsOf: bytes)
      return true
    }
    return receive(status, bytes)
      || stop(.broken(reason: "whoever reads the answer went away"))
  }

  /// Takes one header line with its line end; false stops the transfer.
  func receive(line bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count <= maximumHeaderBytes - headerBytes else {
      return stop(.tooLarge(reason: "the answer's header is over \(maximumHeaderBytes) bytes"))
    }
    headerBytes += bytes.count
    var line = bytes[...]
    if line.last == 0x0A { line = line.dropLast() }
    if line.last == 0x0D { line = line.dropLast() }
    switch place {
    case .statusLine:
      return receive(statusLine: line)
    case .fields where line.isEmpty:
      // RFC 9110 §15.2: "A client MUST be able to parse one or more 1xx responses received
      // prior to a final response, even if the client does not expect one."
      place = 100..<200 ~= status ? .statusLine : .afterFields
      if place == .statusLine { fields = [] }
      return true
    case .fields:
      return receive(fieldLine: line)
    case .afterFields:
      // RFC 9110 §6.5.1: a recipient may ignore trailer fields, and must not merge them unless
      // their definition allows it.
      return true
    }
  }

  private func receive(statusLine line: Slice<UnsafeRawBufferPointer>) -> Bool {
    let words = line.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
    guard words.count >= 2, words[0].starts(with: "HTTP/".utf8), words[1].count == 3,
      let code = Int(String(decoding: words[1], as: UTF8.self)), 100..<600 ~= code
    else {
      return stop(.broken(reason: "the answer does not begin with an HTTP status line"))
    }
    status = code
    place = .fields
    return true
  }

  private func receive(fieldLine line: Slice<UnsafeRawBufferPointer>) -> Bool {
    if line.first == 0x20 || line.first == 0x09 { return receive(continuation: line) }
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
      line[..<colon].allSatisfy(Token.isTokenByte), !line.contains(0), !line.contains(0x0D)
    else {
      return stop(.broken(reason: "the answer holds a malformed header line"))
    }
    let name = String(decoding: line[..<colon], as: UTF8.self)
    fields.append(HTTPField(name, Self.trimmed(line[(colon + 1)...])))
    return true
  }

  /// RFC 9112 §5.2: a user agent "MUST replace each received obs-fold with one or more SP".
  private func receive(continuation line: Slice<UnsafeRawBufferPointer>) -> Bool {
    guard let last = fields.popLast(), !line.contains(0), !line.contains(0x0D) else {
      return stop(.broken(reason: "the answer holds a malformed header line"))
    }
    fields.append(HTTPField(last.name, last.value + " " + Self.trimmed(line)))
    return true
  }

  private func stop(_ reason: HTTPError) -> Bool {
    failure = failure ?? reason
    return false
  }

  /// RFC 9110 §5.5: whitespace around a field value is not part of it.
  private static func trimmed(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    guard let last = bytes.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(decoding: bytes[...last].drop(while: isBlank), as: UTF8.self)
  }
}
