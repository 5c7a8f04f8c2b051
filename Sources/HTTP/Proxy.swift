import Basics
import CCurl

/// The proxy that a request goes through, chosen from the settings' environment.
///
/// The rules are those of Go's `golang.org/x/net/http/httpproxy`, and so the Coder CLI's, with
/// `ALL_PROXY` and SOCKS 4 besides.
struct Proxy {
  /// Scheme, host and port, without credentials, as `CURLOPT_PROXY` takes them.
  let url: String
  /// Host and port, for error texts.
  let authority: String
  /// The variable that names it.
  let variable: String
  /// The user name and the password, decoded; nil where the URL has none.
  let user: [UInt8]?
  let password: [UInt8]?

  /// The schemes that libcurl speaks, each with the port that Go takes when the URL has none.
  private static let defaultPorts = [
    "http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080,
  ]

  /// The proxy for a target; nil for a direct connection.
  ///
  /// - Throws: `misconfigured` with the variable's name when it does not name a usable proxy.
  static func forTarget(
    _ target: RequestTarget, _ settings: TransportSettings
  ) throws(HTTPError) -> Proxy? {
    // As in Go: what a proxy calls localhost is another machine.
    guard !target.isLoopback else { return nil }
    // Go, unlike curl, takes the names in capitals first. `HTTP_PROXY` alone comes second here, and
    // never in a CGI program, whose server makes it of a request's `Proxy` field (CVE-2016-5385).
    let names =
      (target.isSecure ? ["HTTPS_PROXY", "https_proxy"] : ["http_proxy", "HTTP_PROXY"])
      + ["ALL_PROXY", "all_proxy"]
    guard let named = settings.variable(names) else { return nil }
    guard named.name != "HTTP_PROXY" || settings.environment["REQUEST_METHOD"] == nil else {
      throw .misconfigured(reason: "HTTP_PROXY is not used in a CGI program; set http_proxy")
    }
    let exempt = NoProxyList(settings.variable(["NO_PROXY", "no_proxy"])?.value ?? "")
    guard !exempt.contains(host: target.host, port: target.port) else { return nil }
    do throws(Malformed) {
      return try Proxy(FieldSyntax.withoutBlanks(named.value.utf8), of: named.name)
    } catch {
      throw .misconfigured(reason: "\(named.name) \(error.reason)")
    }
  }

  /// What is wrong with a proxy's URL, as the rest of a sentence.
  private struct Malformed: Error {
    let reason: String
  }

  private init(_ text: String, of variable: String) throws(Malformed) {
    self.variable = variable
    let isVisible = text.utf8.allSatisfy { 0x21...0x7E ~= $0 }
    guard isVisible else {
      throw Malformed(reason: "holds a blank or a byte that is not visible ASCII")
    }
    let (scheme, rest) = Self.splitScheme(text)
    guard let defaultPort = Self.defaultPorts[scheme] else {
      throw Malformed(
        reason: FieldSyntax.isToken(scheme)
          ? "names a proxy of the scheme \(scheme); only http, https, socks4, socks4a, socks5 and"
            + " socks5h can be used"
          : "is not the URL of a proxy")
    }
    let authority = rest.prefix { !"/?#".utf8.contains($0) }
    // RFC 3986 §3.2 forbids a bare "@" in the user part; Go takes the last one as the separator.
    let at = authority.lastIndex(of: UInt8(ascii: "@"))
    let hostAndPort = at.map { authority[authority.index(after: $0)...] } ?? authority
    guard let parsed = ParsedURL("http://" + String(Substring(hostAndPort))),
      let host = parsed.part(CURLUPART_HOST), !host.isEmpty
    else {
      throw Malformed(reason: "is not the URL of a proxy")
    }
    let port = parsed.part(CURLUPART_PORT) ?? String(defaultPort)
    self.authority = "\(host):\(port)"
    // Go leaves the name of the target to every SOCKS 5 proxy; libcurl does for "socks5h" alone.
    url = "\(scheme == "socks5" ? "socks5h" : scheme)://\(self.authority)"

    guard let at, at > authority.startIndex else {
      (user, password) = (nil, nil)
      return
    }
    let userInformation = authority[..<at]
    let colon = userInformation.firstIndex(of: UInt8(ascii: ":"))
    user = try Self.decode(userInformation[..<(colon ?? userInformation.endIndex)])
    password = try colon.map { index throws(Malformed) in
      try Self.decode(userInformation[index...].dropFirst())
    }
  }

  /// The scheme in lower case and what follows `://`; a text without is an authority, for `http`.
  private static func splitScheme(_ text: String) -> (String, Substring.UTF8View) {
    let bytes = text.utf8
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
      bytes[colon...].starts(with: "://".utf8)
    else { return ("http", bytes[...]) }
    return (String(text[..<colon]).lowercased(), bytes[colon...].dropFirst(3))
  }

  private static func decode(_ bytes: Substring.UTF8View) throws(Malformed) -> [UInt8] {
    guard let decoded = PercentEncoding.decode(bytes) else {
      throw Malformed(reason: "holds a % in its user part that should be written as %25")
    }
    // RFC 7617 §2: "The user-id and password MUST NOT contain any control characters".
    guard decoded.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw Malformed(reason: "holds a control character in its user part")
    }
    return decoded
  }
}

extension TransportSettings {
  /// The proxy, as host and port, through which a URL is reached; nil for a direct connection.
  ///
  /// - Throws: `refusedURL`; `misconfigured` with the variable's name when it names no usable proxy.
  public func proxy(for url: String) throws(HTTPError) -> String? {
    try CurlLibrary.load()
    let target = try RequestTarget(url, allowsPlainHTTP: allowsPlainHTTP)
    return try Proxy.forTarget(target, self)?.authority
  }

  /// The variable that names the proxy through which a URL is reached, such as `https_proxy`; nil for
  /// a direct connection, and where none can be told.
  public func proxyVariable(for url: String) -> String? {
    guard (try? CurlLibrary.load()) != nil,
      let target = try? RequestTarget(url, allowsPlainHTTP: allowsPlainHTTP)
    else { return nil }
    return (try? Proxy.forTarget(target, self))?.variable
  }
}
