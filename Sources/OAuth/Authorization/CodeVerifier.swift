public import Secrets

/// The secret half of a proof key (RFC 7636 §4.1), with its public half.
public struct CodeVerifier: Sendable, Hashable {
  /// 43 characters of base64url.
  public let value: Secret
  /// What the authorization request shows of it.
  public let challenge: CodeChallenge

  /// Makes a new verifier.
  public init() {
    // RFC 7636 §4.1: "It is RECOMMENDED that the output of a suitable random number generator be
    // used to create a 32-octet sequence. The octet sequence is then base64url-encoded"
    self.init(octets: RandomBytes.make(32))
  }

  init(octets: [UInt8]) {
    let text = Base64URL.encoded(octets)
    value = Secret(text)
    challenge = CodeChallenge(ofVerifier: text)
  }
}

/// The public half of a proof key, method S256 (RFC 7636 §4.2).
public struct CodeChallenge: Sendable, Hashable {
  /// The challenge method's name.
  public static let method = "S256"

  /// 43 characters of base64url.
  public let value: String

  init(ofVerifier verifier: String) {
    // RFC 7636 §4.2: "code_challenge = BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))"
    value = Base64URL.encoded(SHA256.digest(verifier.utf8))
  }
}
