import Foundation

/// One HTTP request as it came, with its parameters taken apart.
struct Request: Sendable {
  var method = ""
  /// Percent-decoded and, once routed, below the deployment's base path.
  var path = ""
  var query = Parameters()
  var headers: [Field] = []
  var body: [UInt8] = []
  var form = Parameters()

  /// Nil for a head that is not HTTP/1.x.
  init?(head: [UInt8]) {
    let lines = head.split(separator: UInt8(ascii: "\n")).map { line in
      String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
    }
    guard let first = lines.first else { return nil }
    let words = first.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3, words[2].hasPrefix("HTTP/1."), words[1].hasPrefix("/") else {
      return nil
    }
    method = String(words[0])
    let parts = words[1].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = Percent.decoded(Array(parts[0].utf8), plusIsSpace: false)
    if parts.count > 1 { query = Parameters(urlEncoded: parts[1]) }
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { return nil }
      headers.append(
        Field(
          name: String(line[..<colon]),
          value: line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)))
    }
  }

  mutating func attach(_ bytes: [UInt8]) {
    body = bytes
    let type = header("Content-Type")?.lowercased() ?? ""
    if type.hasPrefix("application/x-www-form-urlencoded") {
      form = Parameters(urlEncoded: String(decoding: bytes, as: UTF8.self))
    }
  }

  func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  func cookie(_ name: String) -> String? {
    for header in headers where header.name.lowercased() == "cookie" {
      for pair in header.value.split(separator: ";") {
        let parts = pair.trimmingCharacters(in: .whitespaces).split(
          separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, parts[0] == name, !parts[1].isEmpty { return String(parts[1]) }
      }
    }
    return nil
  }

  /// RFC 7617, with the form decoding of RFC 6749 section 2.3.1 applied to both halves.
  var basic: (user: String, password: String)? {
    guard let value = header("Authorization"), value.lowercased().hasPrefix("basic "),
      let data = Data(base64Encoded: value.dropFirst(6).trimmingCharacters(in: .whitespaces))
    else { return nil }
    let parts = data.split(
      separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    return (
      Percent.decoded(Array(parts[0]), plusIsSpace: true),
      Percent.decoded(Array(parts[1]), plusIsSpace: true)
    )
  }
}

/// One HTTP response before it becomes bytes.
struct Response: Sendable {
  var status: Int
  var headers: [Field] = []
  var body: [UInt8] = []

  static func json(_ status: Int, _ value: JSON) -> Response {
    Response(
      status: status,
      headers: [Field(name: "Content-Type", value: "application/json; charset=utf-8")],
      body: Array(value.text.utf8) + [UInt8(ascii: "\n")])
  }

  static func html(_ status: Int, _ text: String) -> Response {
    Response(
      status: status, headers: [Field(name: "Content-Type", value: "text/html; charset=utf-8")],
      body: Array(text.utf8))
  }

  static func empty(_ status: Int) -> Response { Response(status: status) }

  static func redirect(_ status: Int, to location: String) -> Response {
    Response(status: status, headers: [Field(name: "Location", value: location)])
  }

  /// The shape of RFC 6749 section 5.2.
  static func oauthError(_ status: Int, _ code: String, _ description: String) -> Response {
    json(status, ["error": .string(code), "error_description": .string(description)])
  }

  /// The shape of everything that is not OAuth.
  static func message(_ status: Int, _ message: String, detail: String? = nil) -> Response {
    var value: JSON = ["message": .string(message)]
    if let detail { value.set("detail", .string(detail)) }
    return json(status, value)
  }

  static let routeNotFound = message(404, "Route not found.")

  func adding(_ name: String, _ value: String) -> Response {
    var copy = self
    copy.headers.append(Field(name: name, value: value))
    return copy
  }

  func replacing(_ name: String, _ value: String) -> Response {
    var copy = self
    copy.headers.removeAll { $0.name.lowercased() == name.lowercased() }
    return copy.adding(name, value)
  }

  /// `length` is nil for a body that ends with the connection.
  func head(length: Int?) -> [UInt8] {
    var text = "HTTP/1.1 \(status) \(Self.reason(status))\r\n"
    for field in headers { text += "\(field.name): \(field.value)\r\n" }
    if !headers.contains(where: { $0.name.lowercased() == "date" }) {
      text += "Date: \(Moment.httpDate(Date().timeIntervalSince1970))\r\n"
    }
    if let length, status != 204, status >= 200 { text += "Content-Length: \(length)\r\n" }
    return Array((text + "Connection: close\r\n\r\n").utf8)
  }

  private static func reason(_ status: Int) -> String {
    let reasons = [
      200: "OK", 201: "Created", 204: "No Content", 302: "Found", 303: "See Other",
      400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
      405: "Method Not Allowed", 408: "Request Timeout", 411: "Length Required",
      413: "Request Entity Too Large", 429: "Too Many Requests", 500: "Internal Server Error",
      502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
    ]
    return reasons[status] ?? "Status"
  }
}
