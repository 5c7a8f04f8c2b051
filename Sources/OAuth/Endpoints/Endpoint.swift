import Basics

/// Scheme, host and port: what must be equal for two URLs to share trust (RFC 6454 §4).
public struct Origin: Sendable, Hashable, CustomStringConvertible {
  /// `https` or `http`.
  public let scheme: String
  /// The host in lower case; an IPv6 address with its brackets.
  public let host: String
  /// The port, the scheme's own when the URL names none.
  public let port: UInt16

  /// Whether the host can only be this machine.
  public var isLoopback: Bool { Loopback.contains(host: host) }

  /// The origin as a URL without a path.
  public var description: String {
    port == (scheme == "https" ? 443 : 80) ? "\(scheme)://\(host)" : "\(scheme)://\(host):\(port)"
  }
}

/// An absolute `http` or `https` URL that is what it looks like: no user name, no fragment, and
/// nothing but the characters of RFC 3986.
///
/// It is a well-formed URL and no more: whether a secret may go there, ``EndpointPolicy`` decides.
public struct Endpoint: Sendable, Hashable {
  private static let lengthLimit = 4096

  /// The URL as it was given.
  public let url: String
  /// The URL's origin, normalised.
  public let origin: Origin
  /// From the first `/` to the query; empty for a bare origin.
  let path: String
  /// What follows the `?`, if there is one.
  let query: String?
  /// Whether the URL names a port.
  let namesPort: Bool

  /// Reads a URL; nil when it is not an absolute `http` or `https` URL in plain spelling.
  public init?(_ url: String) {
    // RFC 6749 §3.1: "The endpoint URI MUST NOT include a fragment component."
    guard url.utf8.count <= Self.lengthLimit, url.utf8.allSatisfy(Self.isURLByte),
      let colon = url.utf8.firstIndex(of: UInt8(ascii: ":")),
      let scheme = ["https", "http"].first(where: { $0 == url[..<colon].lowercased() }),
      url[colon...].hasPrefix("://")
    else { return nil }
    let rest = url[colon...].dropFirst(3)
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let target = rest[authority.endIndex...]
    let path = target.prefix { $0 != "?" }
    guard let (host, port) = Self.hostAndPort(authority) else { return nil }
    self.url = url
    self.origin = Origin(scheme: scheme, host: host, port: port ?? (scheme == "https" ? 443 : 80))
    self.namesPort = port != nil
    self.path = String(path)
    let query = target[path.endIndex...]
    self.query = query.isEmpty ? nil : String(query.dropFirst())
  }

  /// The path without a slash at its end; empty at the root.
  var directory: Substring { path.hasSuffix("/") ? path.dropLast() : path[...] }

  /// Whether two URLs name one issuer: the same but for the case of scheme and host, a port that
  /// goes without saying, and one slash at the end.
  ///
  /// RFC 8414 §3.3 wants the issuer "identical" to what was asked for. What was asked for is a
  /// deployment's URL in our own canonical spelling, which leaves out just these differences.
  func isSameIssuer(as other: Endpoint) -> Bool {
    origin == other.origin && directory == other.directory && query == nil && other.query == nil
  }

  /// Whether the path lies at or below another URL's on the same origin, however a server decodes
  /// it.
  func isBelow(_ other: Endpoint) -> Bool {
    origin == other.origin && Self.staysBelow(path)
      && (path == other.directory || path.hasPrefix(other.directory + "/")
        || (path.isEmpty && other.directory.isEmpty))
  }

  /// Whether no segment of a path leads upwards, even to a server that decodes twice, reads a
  /// backslash as a slash, or ignores what follows a semicolon.
  static func staysBelow(_ path: some StringProtocol) -> Bool {
    var bytes = Array(path.utf8)
    while bytes.contains(UInt8(ascii: "%")) {
      guard let decoded = PercentEncoding.decode(bytes), decoded != bytes else { return false }
      bytes = decoded
    }
    return bytes.split { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }.allSatisfy {
      let name = $0.prefix { $0 != UInt8(ascii: ";") }
      return !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8)
    }
  }

  private static func hostAndPort(_ authority: Substring) -> (host: String, port: UInt16?)? {
    let end: Substring.Index
    if authority.first == "[" {
      guard let bracket = authority.firstIndex(of: "]"),
        authority[..<bracket].dropFirst().utf8.allSatisfy({
          PercentEncoding.hexDigit($0) != nil || ":.".utf8.contains($0)
        })
      else { return nil }
      end = authority.index(after: bracket)
    } else {
      end = authority.firstIndex(of: ":") ?? authority.endIndex
      guard end > authority.startIndex, authority[..<end].utf8.allSatisfy(isHostByte) else {
        return nil
      }
    }
    let host = authority[..<end].lowercased()
    guard end < authority.endIndex else { return (host, nil) }
    let digits = authority[end...].dropFirst()
    guard authority[end] == ":", digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let port = UInt16(digits), port > 0
    else { return nil }
    return (host, port)
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || "-._".utf8.contains(byte)
  }

  private static func isURLByte(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || "-._~:/?[]@!$&'()*+,;=%".utf8.contains(byte)
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: false
    }
  }
}
