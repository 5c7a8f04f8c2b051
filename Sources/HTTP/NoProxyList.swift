import Glibc

/// The hosts that `NO_PROXY` exempts from a proxy, read as Go's `golang.org/x/net/http/httpproxy`
/// reads it.
///
/// Entries are separated by commas. `*` is every host; `192.0.2.0/24` and `2001:db8::/32` are
/// networks; an address or a name may have a port. `example.com` stands for itself and every name
/// below it, `.example.com` and `*.example.com` only for the names below it.
struct NoProxyList {
  private enum Entry {
    case network([UInt8], bits: Int)
    case address([UInt8], port: String)
    /// A suffix that begins with a dot.
    case domain(suffix: String, includesItself: Bool, port: String)
  }

  private let entries: [Entry]
  private let isEverything: Bool

  init(_ text: String) {
    let words = text.utf8.split(separator: UInt8(ascii: ","))
      .map { FieldSyntax.withoutBlanks($0).lowercased() }
    isEverything = words.contains("*")
    entries = words.compactMap(Self.entry)
  }

  /// Whether a target is reached without a proxy.
  ///
  /// - Parameters:
  ///   - host: in lower case, an IPv6 address in its brackets.
  ///   - port: the port, also where the URL leaves it out.
  /// - Returns: whether an entry matches.
  func contains(host: String, port: Int) -> Bool {
    guard !isEverything else { return true }
    let address = Self.address(Self.withoutBrackets(host))
    let isPort = { (wanted: String) in wanted.isEmpty || wanted == String(port) }
    return entries.contains { entry in
      switch entry {
      case .network(let network, let bits):
        address.map { Self.isEqual($0, network, bits: bits) } ?? false
      case .address(let wanted, let port):
        address == wanted && isPort(port)
      case .domain(let suffix, let includesItself, let port):
        address == nil && isPort(port)
          && (host.hasSuffix(suffix) || (includesItself && host == suffix.dropFirst()))
      }
    }
  }

  private static func entry(_ word: String) -> Entry? {
    if let network = network(word) { return network }
    var (host, port) = splitPort(word)
    if let address = address(withoutBrackets(host)) { return .address(address, port: port) }
    if host.hasPrefix("*.") { host.removeFirst() }
    guard !host.isEmpty, host != "." else { return nil }
    let includesItself = !host.hasPrefix(".")
    return .domain(
      suffix: includesItself ? "." + host : host, includesItself: includesItself, port: port)
  }

  /// An address, a slash and the number of bits.
  private static func network(_ word: String) -> Entry? {
    let parts = word.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = address(String(parts[0])),
      parts[1].utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let bits = Int(parts[1]),
      bits <= address.count * 8
    else { return nil }
    return .network(address, bits: bits)
  }

  /// `host:port` and `[address]:port`; a bare IPv6 address has colons too, but no port.
  private static func splitPort(_ word: String) -> (host: String, port: String) {
    guard let colon = word.lastIndex(of: ":") else { return (word, "") }
    let host = word[..<colon]
    guard !host.contains(":") || (host.hasPrefix("[") && host.hasSuffix("]")) else {
      return (word, "")
    }
    return (String(host), String(word[word.index(after: colon)...]))
  }

  private static func withoutBrackets(_ host: String) -> String {
    host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
  }

  /// An address's 4 or 16 bytes; an IPv4-mapped one has 4.
  private static func address(_ text: String) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes[..<4]) }
    guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
    let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
    return isMapped ? Array(bytes[12...]) : bytes
  }

  private static func isEqual(_ left: [UInt8], _ right: [UInt8], bits: Int) -> Bool {
    guard left.count == right.count else { return false }
    let (whole, rest) = bits.quotientAndRemainder(dividingBy: 8)
    guard left[..<whole] == right[..<whole] else { return false }
    return rest == 0 || (left[whole] ^ right[whole]) >> UInt8(8 - rest) == 0
  }
}
