import Basics
import Secrets

/// A URL taken apart (RFC 3986 §3), its user, password and path percent-decoded once.
///
/// A query or a fragment is part of the path, as in git, or refused.
struct URLParts {
  let scheme: String
  let user: String?
  let password: Secret?
  let authority: String
  let path: [UInt8]

  init(_ text: String, takesQuery: Bool = false) throws(MalformedInput) {
    guard text.utf8.count <= 4096 else { throw .url(reason: "the URL is too long") }
    let bytes = Array(text.utf8)
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
      bytes[colon...].starts(with: "://".utf8)
    else { throw .url(reason: "the URL has no protocol") }
    guard takesQuery || !bytes.contains(where: { "?#".utf8.contains($0) }) else {
      throw .url(reason: "the URL holds a query or a fragment")
    }
    scheme = String(decoding: bytes[..<colon], as: UTF8.self)
    let rest = bytes[(colon + 3)...]
    let authorityEnd = rest.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
    let path = rest[authorityEnd...].drop { $0 == UInt8(ascii: "/") }
    let userEnd = rest[..<authorityEnd].lastIndex(of: UInt8(ascii: "@"))
    authority = String(
      decoding: rest[(userEnd.map { $0 + 1 } ?? rest.startIndex)..<authorityEnd], as: UTF8.self)
    let userinfo = userEnd.map { rest[rest.startIndex..<$0] }
    let separator = userinfo?.firstIndex(of: UInt8(ascii: ":"))
    user = try userinfo.map { info throws(MalformedInput) in
      try Self.decoded(info[..<(separator ?? info.endIndex)])
    }
    password = try separator.map { separator throws(MalformedInput) in
      Secret(try Self.decoded(userinfo?[(separator + 1)...] ?? []))
    }
    self.path = try Self.unescaped(path)
  }

  private static func unescaped(_ bytes: ArraySlice<UInt8>) throws(MalformedInput) -> [UInt8] {
    guard let bytes = PercentEncoding.decode(bytes) else {
      throw .url(reason: "a percent sign is not followed by two hexadecimal digits")
    }
    return bytes
  }

  private static func decoded(_ bytes: ArraySlice<UInt8>) throws(MalformedInput) -> String {
    let bytes = try unescaped(bytes)
    guard !bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
      throw .url(reason: "the user name or password holds a control character")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .url(reason: "the user name or password is not UTF-8")
    }
    return text
  }
}
