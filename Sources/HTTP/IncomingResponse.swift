/// A response while it comes in: fed by libcurl's callbacks, bounded at every byte.
final class IncomingResponse {
  /// What the next header line is part of.
  private enum Position { case statusLine, fields, afterFields }

  private let maximumHeaderBytes: Int
  private let maximumBodyBytes: Int
  /// Takes the version of the protocol and the response without its body, once, before its body.
  private var begin: ((String, HTTPResponse) -> Void)?
  /// Takes the status and pieces of the body in place of ``body``.
  private let receive: ((Int, UnsafeRawBufferPointer) -> Bool)?
  private var position = Position.statusLine
  private var version = ""
  private var status = 0
  private var fields: [HTTPField] = []
  private var body: [UInt8] = []
  private var headerBytes = 0
  private var bodyBytes = 0
  /// Why a callback stopped the transfer, if one did.
  private(set) var failure: HTTPError?

  init(
    maximumHeaderBytes: Int, maximumBodyBytes: Int,
    begin: ((String, HTTPResponse) -> Void)? = nil,
    receive: ((Int, UnsafeRawBufferPointer) -> Bool)? = nil
  ) {
    self.begin = begin
    self.maximumHeaderBytes = maximumHeaderBytes
    self.maximumBodyBytes = maximumBodyBytes
    self.receive = receive
    // Enough for any usual response: growing would leave copies of a token behind in freed memory.
    if receive == nil { body.reserveCapacity(16_384) }
  }

  /// Whether any line of a response came.
  var hasBegun: Bool { headerBytes > 0 }

  /// The response, once libcurl says that it is complete.
  var response: HTTPResponse? {
    position == .afterFields ? HTTPResponse(status: status, headers: fields, body: body) : nil
  }

  /// Passes the response without its body on, unless that was done.
  func passOnHead() {
    guard let begin, position == .afterFields else { return }
    self.begin = nil
    begin(version, HTTPResponse(status: status, headers: fields))
  }

  /// Takes decoded bytes of the body; false stops the transfer.
  func receive(body bytes: UnsafeRawBufferPointer) -> Bool {
    guard position == .afterFields else {
      return stop(.broken(reason: "a body came before the end of the header fields"))
    }
    guard bytes.count <= maximumBodyBytes - bodyBytes else {
      return stop(.tooLarge(reason: "the response's body is over \(maximumBodyBytes) bytes"))
    }
    bodyBytes += bytes.count
    guard let receive else {
      body.append(contentsOf: bytes)
      return true
    }
    passOnHead()
    return receive(status, bytes)
      || stop(.broken(reason: "the response's reader stopped"))
  }

  /// Takes one header line with its line end; false stops the transfer.
  func receive(line bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count <= maximumHeaderBytes - headerBytes else {
      return stop(.tooLarge(reason: "the response's header is over \(maximumHeaderBytes) bytes"))
    }
    headerBytes += bytes.count
    var line = bytes[...]
    if line.last == 0x0A { line = line.dropLast() }
    if line.last == 0x0D { line = line.dropLast() }
    switch position {
    case .statusLine:
      return receive(statusLine: line)
    case .fields where line.isEmpty:
      // RFC 9110 §15.2: "A client MUST be able to parse one or more 1xx responses received
      // prior to a final response, even if the client does not expect one."
      position = 100..<200 ~= status ? .statusLine : .afterFields
      if position == .statusLine { fields = [] }
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
      return stop(.broken(reason: "the response does not begin with an HTTP status line"))
    }
    version = String(decoding: words[0], as: UTF8.self)
    status = code
    position = .fields
    return true
  }

  private func receive(fieldLine line: Slice<UnsafeRawBufferPointer>) -> Bool {
    if line.first == 0x20 || line.first == 0x09 { return receive(continuation: line) }
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
      line[..<colon].allSatisfy(FieldSyntax.isTokenByte), !line.contains(0), !line.contains(0x0D)
    else {
      return stop(.broken(reason: "the response holds a malformed header line"))
    }
    let name = String(decoding: line[..<colon], as: UTF8.self)
    fields.append(HTTPField(name, FieldSyntax.withoutBlanks(line[(colon + 1)...])))
    return true
  }

  /// RFC 9112 §5.2: a user agent "MUST replace each received obs-fold with one or more SP".
  private func receive(continuation line: Slice<UnsafeRawBufferPointer>) -> Bool {
    guard let last = fields.popLast(), !line.contains(0), !line.contains(0x0D) else {
      return stop(.broken(reason: "the response holds a malformed header line"))
    }
    fields.append(HTTPField(last.name, last.value + " " + FieldSyntax.withoutBlanks(line)))
    return true
  }

  private func stop(_ reason: HTTPError) -> Bool {
    failure = failure ?? reason
    return false
  }
}
