import Basics
import Secrets

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
    guard let (host, port) = Self.hostAndPort(authority, scheme: scheme) else { return nil }
    self.url = url
    self.origin = Origin(scheme: scheme, host: host, port: port)
    self.path = String(path)
    let query = target[path.endIndex...]
    self.query = query.isEmpty ? nil : String(query.dropFirst())
  }

  /// Whether two URLs name one issuer: the same but for case of the host, a port that goes without
  /// saying, and one trailing slash.
  func isSameIssuer(as other: Endpoint) -> Bool {
    func bare(_ path: String) -> Substring { path.hasSuffix("/") ? path.dropLast() : path[...] }
    return origin == other.origin && bare(path) == bare(other.path) && query == nil
      && other.query == nil
  }

  /// Checks an endpoint that metadata or a registration names.
  ///
  /// - Parameters:
  ///   - name: what the document calls it, for the error.
  ///   - url: the URL given.
  ///   - issuer: the origin of the issuer; endpoints on it are trusted.
  ///   - allowedOrigins: further origins that the user allowed.
  /// - Returns: the endpoint.
  /// - Throws: `malformed` for what is no such URL, `foreignEndpoint` for another site, or for
  ///   `http` that is neither loopback nor the issuer's own scheme.
  static func checked(
    _ name: String, _ url: String, issuer: Origin, allowedOrigins: Set<String>
  ) throws(OAuthError) -> Endpoint {
    guard let endpoint = Endpoint(url) else {
      throw .malformed("the \(name) is not an absolute https URL")
    }
    let origin = endpoint.origin
    if origin == issuer { return endpoint }
    let isAllowed = allowedOrigins.contains { Endpoint($0)?.origin == origin }
    guard isAllowed, origin.scheme == "https" || origin.isLoopback || issuer.scheme == "http" else {
      throw .foreignEndpoint(name: name, url: ForeignText.quotation(url) ?? "")
    }
    return endpoint
  }

  private static func hostAndPort(
    _ authority: Substring, scheme: String
  ) -> (host: String, port: UInt16)? {
    let end: Substring.Index
    if authority.first == "[" {
      guard let bracket = authority.firstIndex(of: "]"),
        authority[..<bracket].dropFirst().utf8.allSatisfy({
          UnicodeScalar($0).properties.isASCIIHexDigit || $0 == UInt8(ascii: ":")
            || $0 == UInt8(ascii: ".")
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
    guard end < authority.endIndex else { return (host, scheme == "https" ? 443 : 80) }
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
