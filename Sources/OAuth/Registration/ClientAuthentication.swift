import Basics
import FoundationEssentials
import HTTP
public import Secrets

/// How a client proves itself at the token endpoint (RFC 7591 §2 `token_endpoint_auth_method`).
public enum ClientAuthenticationMethod: String, Sendable, CaseIterable {
  /// The client has no secret.
  case none
  /// Identifier and secret as form fields.
  case clientSecretPost = "client_secret_post"
  /// Identifier and secret in the `Authorization` field.
  case clientSecretBasic = "client_secret_basic"
}

/// A client's identifier with what proves it (RFC 6749 §2.3).
public enum ClientAuthentication: Sendable, Hashable {
  /// A public client: the identifier alone.
  case identifier(String)
  /// Identifier and secret in the form.
  case post(id: String, secret: Secret)
  /// Identifier and secret in the `Authorization` field.
  case basic(id: String, secret: Secret)

  /// Decides from what a client was given.
  ///
  /// A client registered with the method `none` may still have been given a secret: deployments
  /// before public clients issue one and want it back, so a secret is always sent.
  ///
  /// - Parameters:
  ///   - clientID: the client identifier.
  ///   - secret: the client secret, if the server issued one.
  ///   - method: the method the server returned.
  public init(clientID: String, secret: Secret?, method: ClientAuthenticationMethod) {
    switch (secret, method) {
    case (nil, _): self = .identifier(clientID)
    case (.some(let secret), .clientSecretBasic): self = .basic(id: clientID, secret: secret)
    case (.some(let secret), .none), (.some(let secret), .clientSecretPost):
      self = .post(id: clientID, secret: secret)
    }
  }

  /// Adds what belongs into the form.
  func complete(_ form: inout FormBody) {
    switch self {
    case .identifier(let id): form.append("client_id", id)
    case .post(let id, let secret):
      form.append("client_id", id)
      form.append("client_secret", secret)
    // RFC 6749 §2.3: "The client MUST NOT use more than one authentication method in each request."
    case .basic: break
    }
  }

  /// The `Authorization` field, for the method that has one.
  var authorization: HTTPField? {
    guard case .basic(let id, let secret) = self else { return nil }
    // RFC 6749 §2.3.1: "The client identifier is encoded using the
    // "application/x-www-form-urlencoded" encoding algorithm per Appendix B, and the encoded value
    // is used as the username; the client secret is encoded using the same algorithm and used as
    // the password."
    let pair = "\(PercentEncoding.encodeForm(id)):\(FormBody.encoded(secret))"
    return HTTPField("Authorization", "Basic \(Data(pair.utf8).base64EncodedString())")
  }
}
