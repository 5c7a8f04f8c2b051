import Secrets

/// The value that ties an authorization response to its request (RFC 6749 §10.12).
public struct State: Sendable, Hashable, CustomStringConvertible {
  /// 32 characters of base64url.
  let value: String

  /// Makes a new state.
  public init() {
    // RFC 6749 §10.10: "The probability of an attacker guessing generated tokens (and other
    // credentials not intended for handling by end-users) MUST be less than or equal to 2^(-128)
    // and SHOULD be less than or equal to 2^(-160)."
    value = Base64URL.encoded(RandomBytes.make(24))
  }

  /// Whether a response carries this state; constant-time comparison.
  func matches(_ other: String) -> Bool { Secret(value) == Secret(other) }

  /// A name for this state that does not reveal it, for other processes to deliver a response to.
  public var digest: String { Self.digest(of: value) }

  /// The same for the state in a response's query; nil when it holds none, or several.
  public static func digest(inQuery query: String) -> String? {
    guard let value = try? QueryParameters(query)?.single("state") else { return nil }
    return digest(of: value)
  }

  private static func digest(of value: String) -> String {
    Base64URL.encoded(SHA256.digest(value.utf8))
  }

  /// Shows nothing: whoever knows the state can speak for the browser.
  public var description: String { "<redacted>" }
}
