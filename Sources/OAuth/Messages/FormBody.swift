import Basics
public import HTTP
public import Secrets

/// The body of a form request, and the one place where secrets turn into request bytes.
struct FormBody {
  private(set) var text = ""

  /// Adds a field; nil adds nothing.
  mutating func append(_ name: String, _ value: String?) {
    guard let value else { return }
    appendEncoded(name, PercentEncoding.encodeForm(value))
  }

  /// Adds a secret field; nil adds nothing.
  mutating func append(_ name: String, _ value: Secret?) {
    guard let value else { return }
    appendEncoded(name, Self.encoded(value))
  }

  private mutating func appendEncoded(_ name: String, _ value: String) {
    if !text.isEmpty { text += "&" }
    text += "\(PercentEncoding.encodeForm(name))=\(value)"
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

  /// A secret form-encoded, on its way into a body or the `Basic` field.
  static func encoded(_ secret: Secret) -> String { PercentEncoding.encodeForm(secret.forRequest) }
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
