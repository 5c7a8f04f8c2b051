import Basics

/// Where credentials are valid: the canonical URL of a Coder deployment, or of any other server.
///
/// Scheme, lower-case ASCII host, port unless it is the scheme's default, and path without a
/// trailing slash. Two deployments are the same only if all four are: `http` and `https`, two
/// ports and two paths are kept apart.
public struct Deployment: Hashable, Sendable {
  /// The scheme in lower case, such as `https`.
  public let scheme: String
  /// The host in lower case; an IPv6 address stands in brackets.
  public let host: String
  /// The port, or nil for the scheme's default.
  public let port: Int?
  /// The percent-encoded path: empty, or starting with `/` and not ending with it.
  public let path: String

  /// The canonical URL, under which everything is stored.
  public var url: String { "\(scheme)://\(authority)\(path)" }

  /// The host, with its port unless it is the default.
  public var authority: String { host + (port.map { ":\($0)" } ?? "") }

  /// The authority and the path: the URL as people name it.
  public var name: String { authority + path }

  /// Whether the host is this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
  public var isLoopback: Bool { Loopback.contains(host: host) }

  /// Whether it is a web server, as every Coder deployment is; plain credentials may be for others.
  public var isHTTP: Bool { scheme == "https" || scheme == "http" }

  /// Whether a secret can travel to it without being read on the way: anything but `http` to
  /// another machine.
  public var isConfidential: Bool { scheme != "http" || isLoopback }

  /// Reads a URL as people and tools write it; a bare host means `https`.
  ///
  /// Blanks and line breaks around it are no part of it, nor is cargo's `sparse+` before it.
  ///
  /// - Parameter text: an absolute URL without user, query or fragment, or `host[:port][/path]`.
  /// - Throws: ``MalformedInput/url(reason:)``.
  public init(url text: String) throws(MalformedInput) {
    var bytes = Array(text.utf8)[...]
    while let first = bytes.first, first.isBlank { bytes.removeFirst() }
    while let last = bytes.last, last.isBlank { bytes.removeLast() }
    if bytes.starts(with: "sparse+".utf8) { bytes.removeFirst("sparse+".utf8.count) }
    let hasScheme = bytes.firstIndex(of: UInt8(ascii: ":")).map {
      bytes[$0...].starts(with: "://".utf8)
    }
    let url = String(decoding: bytes, as: UTF8.self)
    let parts = try URLParts(hasScheme ?? false ? url : "https://" + url)
    guard parts.user == nil, parts.password == nil else {
      throw .url(reason: "a deployment's URL holds no user name or password")
    }
    try self.init(scheme: parts.scheme, authority: parts.authority, decodedPath: parts.path)
  }

  /// Takes what git says of a server (gitcredentials(7)).
  ///
  /// - Parameters:
  ///   - scheme: git's `protocol`.
  ///   - authority: git's `host`, which carries the port.
  ///   - decodedPath: git's `path`: percent-decoded, without the leading slash.
  /// - Throws: ``MalformedInput/url(reason:)``.
  public init(
    scheme: String, authority: String, decodedPath: [UInt8] = []
  ) throws(MalformedInput) {
    self.scheme = try Self.canonical(scheme: scheme)
    (self.host, self.port) = try Host.canonical(authority, scheme: self.scheme)
    self.path = try Self.canonical(path: decodedPath)
  }

  private init(scheme: String, host: String, port: Int?, path: String) {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.path = path
  }

  /// The same with host and port as somebody has written them.
  func with(authority: String) -> Deployment {
    Deployment(scheme: scheme, host: authority, port: nil, path: path)
  }

  /// The same with another canonical path.
  func with(path: String) -> Deployment {
    Deployment(scheme: scheme, host: host, port: port, path: path)
  }

  /// This deployment and every one whose path contains it, the longest path first.
  ///
  /// What is stored for `https://h/coder` serves `https://h/coder/api`, never the reverse. Parents of
  /// more than eight segments are left out: a deployment is not that deep, and whoever asks for a
  /// long path must not cause a search for each of its segments.
  public var withParents: [Deployment] {
    let slashes = path.utf8.indices.filter { path.utf8[$0] == UInt8(ascii: "/") }
    let parents = slashes.prefix(9).reversed().map { String(path[..<$0]) }
    return ([path] + parents).map { with(path: $0) }
  }

  /// The place of what a tool of this name has given us to keep for this server, such as
  /// `docker://registry.example`: apart from whatever else is stored for it.
  public func kept(for tool: String) -> Deployment {
    Deployment(scheme: tool, host: host, port: port, path: path)
  }

  private static func canonical(scheme: String) throws(MalformedInput) -> String {
    let bytes = Array(scheme.utf8)
    guard let first = bytes.first, first.isASCIILetter, bytes.count <= 32,
      bytes.allSatisfy({ $0.isASCIILetter || $0.isASCIIDigit || "+-.".utf8.contains($0) })
    else { throw .url(reason: "the protocol is missing or malformed") }
    return String(decoding: bytes.map { $0.asciiLowercased }, as: UTF8.self)
  }

  /// Percent-encodes a decoded path, so that one path has one spelling.
  private static func canonical(path: [UInt8]) throws(MalformedInput) -> String {
    guard path.count <= 2048 else { throw .url(reason: "the path is too long") }
    guard !path.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
      throw .url(reason: "the path holds a control character")
    }
    let segments = path.split(separator: UInt8(ascii: "/"))
    guard !segments.contains(where: { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) })
    else { throw .url(reason: "the path holds a dot segment") }
    return segments.map { "/" + PercentEncoding.encode($0, keeping: { $0.isPathCharacter }) }
      .joined()
  }
}

extension Deployment: CustomStringConvertible {
  /// The canonical URL.
  public var description: String { url }
}
