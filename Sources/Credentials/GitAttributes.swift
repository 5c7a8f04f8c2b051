import Secrets

/// The attributes of one git-credential request, as read.
struct GitAttributes {
  var scheme: String?
  var host: String?
  var path: [UInt8]?
  var username: String?
  var password: Secret?
  var authtype: String?
  var credential: Secret?
  var expiry: Int64?
  var refreshToken: Secret?
  var isEphemeral = false
  var capabilities: [String] = []
  var refused: RetryState?

  init(parsing bytes: [UInt8]) throws(MalformedInput) {
    guard bytes.count <= CredentialRequest.maximumBytes else {
      throw .request(reason: "the request is longer than 1 MiB")
    }
    var rest = bytes[...]
    while !rest.isEmpty {
      let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
      var line = rest[..<end]
      rest = rest[end...].dropFirst()
      guard line.count <= CredentialRequest.maximumLineBytes else {
        throw .request(reason: "a line is longer than 65,535 bytes")
      }
      if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
      if line.isEmpty { return }
      try read(line)
    }
  }

  private mutating func read(_ line: ArraySlice<UInt8>) throws(MalformedInput) {
    guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
      throw .request(reason: "a line has no equals sign")
    }
    guard !line.contains(0) else { throw .request(reason: "a line holds a NUL byte") }
    guard !line.contains(UInt8(ascii: "\r")) else {
      throw .request(reason: "a line holds a carriage return")
    }
    let key = String(decoding: line[..<equals], as: UTF8.self)
    let value = line[(equals + 1)...]
    switch key {
    case "protocol": scheme = try text(value, key)
    case "host": host = try text(value, key)
    case "path": path = Array(value)
    case "username": username = try name(value)
    case "password": password = Secret(try text(value, key))
    case "authtype": authtype = try text(value, key)
    case "credential": credential = Secret(try text(value, key))
    case "oauth_refresh_token": refreshToken = Secret(try text(value, key))
    case "password_expiry_utc": expiry = Int64(try text(value, key)).flatMap { $0 > 0 ? $0 : nil }
    case "ephemeral": isEphemeral = isTrue(try text(value, key))
    case "capability[]":
      if value.isEmpty { capabilities = [] } else { capabilities.append(try text(value, key)) }
    case "state[]":
      // An empty value clears the list; the states of other helpers are theirs.
      refused = value.isEmpty ? nil : RetryState(try text(value, key)) ?? refused
    case "url": try expand(url: try text(value, key))
    default: break  // Later versions of git may say more; what we do not know is not for us.
    }
  }

  /// git-credential(1): "When this special attribute is read by git credential, the value is
  /// parsed as a URL and treated as if its constituent parts were read".
  private mutating func expand(url: String) throws(MalformedInput) {
    let parts = try URLParts(url, takesQuery: true)
    scheme = parts.scheme
    host = parts.authority
    path = parts.path.isEmpty ? nil : parts.path
    username = parts.user
    password = parts.password
  }

  private func text(_ value: ArraySlice<UInt8>, _ key: String) throws(MalformedInput) -> String {
    guard let text = String(validating: value, as: UTF8.self) else {
      throw .request(reason: "the value of \(key) is not UTF-8")
    }
    return text
  }

  /// A user name becomes part of what people read, on a terminal and in their keyring.
  private func name(_ value: ArraySlice<UInt8>) throws(MalformedInput) -> String {
    guard !value.contains(where: { $0 < 0x20 || $0 == 0x7F }), value.count <= 1024 else {
      throw .request(reason: "the username holds a control character or is too long")
    }
    return try text(value, "username")
  }

  /// git-config(1): `yes`, `on`, `true` and any number but 0 are true.
  private func isTrue(_ value: String) -> Bool {
    switch String(decoding: value.utf8.map { $0.asciiLowercased }, as: UTF8.self) {
    case "true", "yes", "on": true
    case let number: Int(number).map { $0 != 0 } ?? false
    }
  }
}
