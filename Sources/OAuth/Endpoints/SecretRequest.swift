import Basics
import FoundationEssentials
public import HTTP
public import Secrets

/// A request with the secrets it carries, so that they can be recognised in the response.
struct SecretRequest {
  let http: HTTPRequest
  let secrets: [Secret]
}

/// The body of a form request (RFC 6749 Appendix B).
struct FormBody {
  private(set) var text = ""
  /// The secrets in it.
  fileprivate var secrets: [Secret] = []

  /// Adds a field; nil adds nothing.
  mutating func append(_ name: String, _ value: String?) {
    guard let value else { return }
    if !text.isEmpty { text += "&" }
    text += "\(PercentEncoding.encodeForm(name))=\(PercentEncoding.encodeForm(value))"
  }

  /// Adds a secret field; nil adds nothing.
  mutating func append(_ name: String, _ value: Secret?) {
    guard let value else { return }
    append(name, value.forRequest)
    secrets.append(value)
  }
}

extension TrustedEndpoint {
  /// A request that proves itself with a bearer token (RFC 6750 §2.1).
  ///
  /// - Parameters:
  ///   - method: the HTTP method.
  ///   - token: the token.
  ///   - headers: further header fields.
  ///   - body: the body, if there is one.
  /// - Returns: the request.
  public func request(
    _ method: String = "GET", bearer token: Secret, headers: [HTTPField] = [],
    body: [UInt8]? = nil
  ) -> HTTPRequest {
    // The scheme's spelling matters to deployments: they compare "Bearer " with case.
    let field = HTTPField("Authorization", "Bearer \(token.forRequest)")
    return HTTPRequest(method: method, url: url, headers: [field] + headers, body: body)
  }

  /// The same, asking for JSON, with what is needed to redact the response.
  func jsonRequest(
    _ method: String = "GET", bearer token: Secret, body: [UInt8]? = nil
  ) -> SecretRequest {
    let type = body.map { _ in HTTPField("Content-Type", "application/json") }
    let headers = [type, HTTPField("Accept", "application/json")].compactMap(\.self)
    return SecretRequest(
      http: request(method, bearer: token, headers: headers, body: body), secrets: [token])
  }

  /// A `POST` of a form that asks for JSON, with the client's proof of itself.
  func post(_ form: FormBody, as client: ClientAuthentication) -> SecretRequest {
    var form = form
    var headers = [
      HTTPField("Content-Type", "application/x-www-form-urlencoded"),
      HTTPField("Accept", "application/json"),
    ]
    switch client {
    case .identifier(let id): form.append("client_id", id)
    case .post(let id, let secret):
      form.append("client_id", id)
      form.append("client_secret", secret)
    // RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request."
    case .basic(let id, let secret):
      let credentials = Self.basicCredentials(id, secret)
      form.secrets += [secret, credentials]
      headers.append(HTTPField("Authorization", "Basic \(credentials.forRequest)"))
    }
    var request = HTTPRequest(
      method: "POST", url: url, headers: headers, body: Array(form.text.utf8))
    // The tokens of a response that lacks only its end are worth more than the end.
    request.takesCutOffBody = true
    return SecretRequest(http: request, secrets: form.secrets)
  }

  /// RFC 6749 §2.3.1: "The client identifier is encoded using the
  /// "application/x-www-form-urlencoded" encoding algorithm per Appendix B, and the encoded value
  /// is used as the username; the client secret is encoded using the same algorithm and used as
  /// the password."
  private static func basicCredentials(_ id: String, _ secret: Secret) -> Secret {
    let pair =
      "\(PercentEncoding.encodeForm(id)):\(PercentEncoding.encodeForm(secret.forRequest))"
    return Secret(Data(pair.utf8).base64EncodedString())
  }
}

extension Secret {
  /// The secret as it travels to a trusted endpoint.
  fileprivate var forRequest: String { self.revealed }
}
