import Basics
import CCurl

/// A request's URL after every check: `https`, or `http` where that is allowed.
struct RequestTarget {
  let url: ParsedURL
  let scheme: String
  /// The host in lower case, an IPv6 address in its brackets.
  let host: String
  /// The port, also where the URL leaves it out.
  let port: Int
  /// Host and port as people write them, for error texts.
  let authority: String

  var isSecure: Bool { scheme == "https" }
  var isLoopback: Bool { Loopback.contains(host: host) }

  init(_ text: String, allowsPlainHTTP: Bool) throws(HTTPError) {
    guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != 0x5C }) else {
      throw .refusedURL(
        reason: "the URL holds a blank, a backslash, or a byte that is not visible ASCII")
    }
    // libcurl takes one to three slashes; RFC 3986 §3.2 wants "//" and then the authority.
    let lowered = text.lowercased()
    guard let scheme = ["https", "http"].first(where: { lowered.hasPrefix($0 + "://") }) else {
      throw .refusedURL(reason: "the URL is not an absolute https URL")
    }
    let authority = text.utf8.dropFirst(scheme.utf8.count + 3).prefix {
      $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
    }
    // RFC 9110 §4.2.4: "A sender MUST NOT generate the userinfo subcomponent".
    guard !authority.contains(UInt8(ascii: "@")) else {
      throw .refusedURL(reason: "the URL carries a user name or a password")
    }
    guard !authority.isEmpty, let url = ParsedURL(text),
      let host = url.part(CURLUPART_HOST)?.lowercased()
    else {
      throw .refusedURL(reason: "the URL is malformed")
    }
    guard scheme == "https" || allowsPlainHTTP || Loopback.contains(host: host) else {
      throw .refusedURL(reason: "\(host) would be reached over http, without encryption")
    }
    self.url = url
    self.scheme = scheme
    self.host = host
    let port = url.part(CURLUPART_PORT)
    self.port = port.flatMap { Int($0) } ?? (scheme == "https" ? 443 : 80)
    self.authority = port.map { "\(host):\($0)" } ?? host
  }
}
