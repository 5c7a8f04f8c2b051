import Foundation

/// One HTTP/1.1 exchange with a loopback address, without following anything.
public struct Exchange: Sendable {
  /// The status of the response.
  public let status: Int
  /// The headers by lower-case name; of repeated ones the first.
  public let headers: [String: String]
  /// The body, as far as it came.
  public let body: [UInt8]

  /// Why there is no response.
  public enum Failure: Error {
    /// Not an http URL of a loopback host.
    case unusableURL
    /// Nobody listens.
    case refused
    /// The connection ended or the time passed before a response was complete.
    case broken
  }

  /// The body as text.
  public var text: String { String(decoding: body, as: UTF8.self) }

  /// A member of the JSON body, strings as they are and anything else as JSON text.
  public subscript(_ name: String) -> String? {
    guard let value = JSON(parsing: body)?[name] else { return nil }
    return value.string ?? value.text
  }

  /// Sends one request and reads the response: to an http URL of a loopback host, for at most
  /// `timeout` seconds.
  public static func send(
    _ method: String = "GET", _ url: String, headers: [String: String] = [:],
    body: [UInt8] = [], timeout: Double = 60
  ) throws(Failure) -> Exchange {
    guard let uri = URIReference(url), uri.scheme == "http",
      URIReference.loopbackHosts.contains(uri.host) || uri.host.hasPrefix("127.")
    else { throw .unusableURL }
    guard let socket = Socket.open(host: uri.host, port: uri.port ?? 80, bound: false) else {
      throw .refused
    }
    defer { close(socket.descriptor) }
    var head = "\(method) \(uri.path.isEmpty ? "/" : uri.path)"
    if let query = uri.query { head += "?" + query }
    head += " HTTP/1.1\r\nHost: \(uri.hostAndPort)\r\nConnection: close\r\n"
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    if !body.isEmpty || method == "POST" || method == "PUT" {
      head += "Content-Length: \(body.count)\r\n"
    }
    let deadline = Socket.clock() + timeout
    _ = socket.send(Array((head + "\r\n").utf8) + body, until: deadline)
    return try read(socket, deadline)
  }

  /// Sends a form.
  public static func post(
    _ url: String, form: [(String, String)], headers: [String: String] = [:]
  ) throws(Failure) -> Exchange {
    var parameters = Parameters()
    parameters.fields = form.map { Field(name: $0.0, value: $0.1) }
    var all = headers
    all["Content-Type"] = "application/x-www-form-urlencoded"
    return try send("POST", url, headers: all, body: Array(parameters.encoded.utf8))
  }

  private static func read(_ socket: Socket, _ deadline: Double) throws(Failure) -> Exchange {
    var data = Data()
    var headEnd: Int?
    var length: Int?
    while true {
      if headEnd == nil, let range = data.range(of: Data("\r\n\r\n".utf8)) {
        headEnd = range.upperBound
        length = Int(fields(data[..<range.lowerBound])["content-length"] ?? "")
      }
      if let headEnd, let length, data.count >= headEnd + length { break }
      guard let bytes = socket.receive(65_536, until: deadline) else { throw .broken }
      if bytes.isEmpty { break }
      data.append(contentsOf: bytes)
    }
    guard let headEnd, data.count >= headEnd + (length ?? 0) else { throw .broken }
    let head = data[..<(headEnd - 4)]
    let words = String(decoding: head, as: UTF8.self).split(separator: " ", maxSplits: 2)
    guard words.count > 1, words[0].hasPrefix("HTTP/1."), let status = Int(words[1].prefix(3))
    else { throw .broken }
    return Exchange(status: status, headers: fields(head), body: [UInt8](data[headEnd...]))
  }

  private static func fields(_ head: Data) -> [String: String] {
    var result: [String: String] = [:]
    for line in head.split(separator: 10).dropFirst() {
      let parts = String(decoding: line, as: UTF8.self).split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let name = parts[0].lowercased()
      if result[name] == nil {
        result[name] = parts[1].trimmingCharacters(in: .whitespacesAndNewlines)
      }
    }
    return result
  }
}
