import Basics

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
      let value = pair[name.endIndex...].dropFirst()
      // Not every server writes a plus in a code as %2B, and no code that can be used holds a blank.
      guard let key = PercentEncoding.decodeForm(name),
        let value = key == "code"
          ? PercentEncoding.decodeText(value) : PercentEncoding.decodeForm(value)
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
    guard values.count == 1 else { throw .malformed("the response holds \(name) more than once") }
    return values[0].isEmpty ? nil : values[0]
  }
}
