/// The parameters of a query component, decoded once (RFC 6749 Appendix B).
struct QueryParameters {
  private static let countLimit = 64
  private let values: [String: [String]]

  /// Reads a query; nil when an escape is broken or does not make UTF-8, or parameters are too many.
  init?(_ query: String) {
    var values: [String: [String]] = [:]
    let pairs = query.utf8.split(separator: UInt8(ascii: "&"))
    guard pairs.count <= Self.countLimit else { return nil }
    for pair in pairs {
      let name = pair.prefix { $0 != UInt8(ascii: "=") }
      guard let key = Self.decoded(name),
        let value = Self.decoded(pair[name.endIndex...].dropFirst())
      else { return nil }
      values[key, default: []].append(value)
    }
    self.values = values
  }

  /// A parameter's value; nil when it is absent or empty.
  ///
  /// RFC 6749 §3.1: "Parameters sent without a value MUST be treated as if they were omitted from
  /// the request." and "Request and response parameters MUST NOT be included more than once."
  func single(_ name: String) throws(OAuthError) -> String? {
    guard let values = values[name] else { return nil }
    guard values.count == 1 else { throw .malformed("the answer holds \(name) more than once") }
    return values[0].isEmpty ? nil : values[0]
  }

  /// Bytes without their escapes; nil when one is broken or the result is not UTF-8.
  static func decoded(_ bytes: some Collection<UInt8>) -> String? {
    var result: [UInt8] = []
    var iterator = bytes.makeIterator()
    while let byte = iterator.next() {
      switch byte {
      case UInt8(ascii: "+"): result.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        guard let high = iterator.next().flatMap(hexDigit),
          let low = iterator.next().flatMap(hexDigit)
        else { return nil }
        result.append(high << 4 | low)
      default: result.append(byte)
      }
    }
    return String(validating: result, as: UTF8.self)
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}
