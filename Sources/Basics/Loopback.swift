/// Which hosts can only be this machine: the one rule by which `http` is allowed.
public enum Loopback {
  /// Whether a URL's host is a loopback address or `localhost`.
  ///
  /// RFC 1122 §3.2.1.3: "{ 127, <any> } Internal host loopback address." RFC 4291 §2.5.3: "The
  /// unicast address 0:0:0:0:0:0:0:1 is called the loopback address." RFC 6761 §6.3: "Users may
  /// assume that IPv4 and IPv6 address queries for localhost names will always resolve to the
  /// respective IP loopback address." Names below `localhost` are left out: not every resolver
  /// keeps them on this machine.
  ///
  /// - Parameter host: the host as a URL spells it: a name, four decimal numbers (no other
  ///   spelling of an IPv4 address is understood), or an IPv6 address in brackets.
  /// - Returns: false for anything else.
  public static func contains(host: some StringProtocol) -> Bool {
    let host = host.lowercased()
    if host == "localhost" { return true }
    if host.hasPrefix("["), host.hasSuffix("]") {
      return isIPv6Loopback(Array(host.utf8.dropFirst().dropLast()))
    }
    return isIPv4Loopback(Array(host.utf8))
  }

  private static func isIPv4Loopback(_ host: [UInt8]) -> Bool {
    let numbers = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return numbers.count == 4 && numbers[0].elementsEqual("127".utf8)
      && numbers.allSatisfy { digits in
        (1...3).contains(digits.count) && digits.allSatisfy { (0x30...0x39).contains($0) }
          // A leading zero means octal to some parsers and nothing to others.
          && (digits.count == 1 || digits.first != UInt8(ascii: "0"))
          && UInt8(String(decoding: digits, as: UTF8.self)) != nil
      }
  }

  /// `::1` in any spelling of RFC 4291 §2.2 without an embedded IPv4 address: all groups zero but
  /// the last, with at most one `::`.
  private static func isIPv6Loopback(_ address: [UInt8]) -> Bool {
    let groups = address.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard (3...8).contains(groups.count), let last = groups.last,
      last.last == UInt8(ascii: "1"), last.count <= 4,
      last.dropLast().allSatisfy({ $0 == UInt8(ascii: "0") })
    else { return false }
    let others = groups.dropLast()
    guard others.allSatisfy({ $0.count <= 4 && $0.allSatisfy { $0 == UInt8(ascii: "0") } })
    else { return false }
    let empty = others.indices.filter { others[$0].isEmpty }
    switch empty.count {
    case 0: return groups.count == 8
    // `::` within: one empty group. At the beginning: two.
    case 1: return empty[0] != 0
    case 2: return empty == [0, 1]
    default: return false
    }
  }
}
