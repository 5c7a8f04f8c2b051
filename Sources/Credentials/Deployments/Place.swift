import Basics
import Secrets

/// Where a plain credential is kept. It is for any server, also for one that can be no deployment,
/// such as `cert:///home/alice/key.pem` or a host beyond ASCII; its host is kept byte for byte, as
/// git's own helpers do.
extension Deployment {
  /// Takes what git says of a server.
  ///
  /// - Parameters:
  ///   - scheme: git's `protocol`.
  ///   - authority: git's `host`, which carries the port; empty for a file, as in `cert:///path`.
  ///   - path: git's `path`: percent-decoded, without the leading slash.
  /// - Returns: the deployment, and the same with the host as it is written; twice the latter for
  ///   what can be no deployment.
  /// - Throws: ``MalformedInput/url(reason:)``.
  static func named(
    scheme: String, authority: String, decodedPath path: [UInt8]
  ) throws(MalformedInput) -> (deployment: Deployment, place: Deployment) {
    if !authority.isEmpty, authority.utf8.allSatisfy({ $0 < 0x80 }) {
      let deployment = try Deployment(
        scheme: scheme, authority: authority, decodedPath: path)
      let isCanonical = deployment.authority == authority
      return (deployment, isCanonical ? deployment : deployment.with(authority: authority))
    }
    let isFile = authority.isEmpty && !path.isEmpty
    // What stands beside the letters of a host, such as a port, is the same for every host.
    let likeASCII = String(decoding: authority.utf8.map { $0 < 0x80 ? $0 : 0x78 }, as: UTF8.self)
    let place = try Deployment(
      scheme: scheme, authority: isFile ? "localhost" : likeASCII, decodedPath: path
    ).with(authority: authority)
    guard !isFile || !place.isHTTP && !place.path.isEmpty else {
      throw .url(reason: "the host is missing")
    }
    guard ForeignText.terminalLine(authority) == authority else {
      throw .url(reason: "the host holds what does not show")
    }
    return (place, place)
  }

  /// Reads the URL that an item of the keyring is stored under: a deployment's, or a place's.
  ///
  /// - Throws: ``MalformedInput/url(reason:)`` for one that we would not write.
  public init(storedURL url: String) throws(MalformedInput) {
    let bytes = Array(url.utf8)
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
      bytes[colon...].starts(with: "://".utf8), bytes.count <= 8192
    else { throw .url(reason: "the URL has no protocol") }
    let rest = bytes[(colon + 3)...]
    let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
    guard let path = PercentEncoding.decode(rest[end...].dropFirst()) else {
      throw .url(reason: "a percent sign is not followed by two hexadecimal digits")
    }
    self = try Self.named(
      scheme: String(decoding: bytes[..<colon], as: UTF8.self),
      authority: String(decoding: rest[..<end], as: UTF8.self), decodedPath: path
    ).place
    guard self.url == url else { throw .url(reason: "the URL is not the one it stands for") }
  }

  /// The server alone, without a path.
  public var server: Deployment { with(path: "") }

  /// Whether `place` names its server, and no path.
  func lies(on place: Deployment) -> Bool { place.path.isEmpty && server == place }
}
