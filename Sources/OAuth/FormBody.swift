public import HTTP
public import Secrets

/// The body of a form request, and the one place where secrets turn into request bytes.
struct FormBody {
  private(set) var text = ""

  /// Adds a field; nil adds nothing.
  mutating func append(_ name: String, _ value: String?) {
    guard let value else { return }
    appendEncoded(name, Self.encoded(value))
  }

  /// Adds a secret field; nil adds nothing.
  mutating func append(_ name: String, _ value: Secret?) {
    guard let value else { return }
    appendEncoded(name, Self.encoded(value))
  }

  private mutating func appendEncoded(_ name: String, _ value: String) {
    if !text.isEmpty { text += "&" }
    text += "\(Self.encoded(name))=\(value)"
  }

  /// A `POST` of this form that asks for JSON.
  func request(to url: String, authorization: HTTPField?) -> HTTPRequest {
    HTTPRequest(
      method: "POST", url: url,
      headers: [
        HTTPField("Content-Type", "application/x-www-form-urlencoded"),
        HTTPField("Accept", "application/json"),
      ] + [authorization].compactMap(\.self),
      body: Array(text.utf8))
  }

  /// A value in `application/x-www-form-urlencoded` (RFC 6749 Appendix B).
  static func encoded(_ value: String) -> String {
    var bytes: [UInt8] = []
    for byte in value.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"):
        bytes.append(byte)
      case UInt8(ascii: " "): bytes.append(UInt8(ascii: "+"))
      default:
        let digits = Array("0123456789ABCDEF".utf8)
        bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A secret in the same form, on its way into a body or the `Basic` field.
  static func encoded(_ secret: Secret) -> String { encoded(secret.forRequest) }
}

extension Secret {
  /// The secret as it travels to the deployment.
  fileprivate var forRequest: String { self.revealed }
}

extension HTTPField {
  /// The `Authorization` field that carries a bearer token (RFC 6750 §2.1).
  public static func bearer(_ token: Secret) -> HTTPField {
    // The scheme's spelling matters to deployments: they compare "Bearer " with case.
    HTTPField("Authorization", "Bearer \(token.forRequest)")
  }
}
