import CGLib
import FoundationEssentials
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
    value = Base64URL.encoded(SHA256.digest(Array(verifier.utf8)))
  }
}

/// SHA-256, as GLib computes it.
enum SHA256 {
  static func digest(_ bytes: [UInt8]) -> [UInt8] {
    let checksum = g_checksum_new(G_CHECKSUM_SHA256)
    defer { g_checksum_free(checksum) }
    g_checksum_update(checksum, bytes, gssize(bytes.count))
    var digest = [UInt8](repeating: 0, count: 32)
    var length = gsize(digest.count)
    g_checksum_get_digest(checksum, &digest, &length)
    return digest
  }
}

/// Bytes nobody can guess, from the system's generator.
enum RandomBytes {
  static func make(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }
}

/// Base 64 for URLs, without padding (RFC 4648 §5).
enum Base64URL {
  static func encoded(_ bytes: [UInt8]) -> String {
    let text = Data(bytes).base64EncodedString()
    let letters = text.utf8.compactMap { byte -> UInt8? in
      switch byte {
      case UInt8(ascii: "+"): UInt8(ascii: "-")
      case UInt8(ascii: "/"): UInt8(ascii: "_")
      case UInt8(ascii: "="): nil
      default: byte
      }
    }
    return String(decoding: letters, as: UTF8.self)
  }
}
