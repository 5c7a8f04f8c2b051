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

  /// The best of the ways that a server supports.
  ///
  /// RFC 6749 §2.3.1: "Including the client credentials in the request-body using the two
  /// parameters is NOT RECOMMENDED and SHOULD be limited to clients unable to directly utilize the
  /// HTTP Basic authentication scheme".
  public static func preferred(of methods: [ClientAuthenticationMethod]) -> Self {
    [.clientSecretBasic, .clientSecretPost, .none].first(where: methods.contains)
      ?? .clientSecretBasic
  }
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

  /// The client with its secret sent in the other way, for a server that registered one and takes
  /// another; nil for a public client.
  private var alternative: ClientAuthentication? {
    switch self {
    case .identifier: nil
    case .post(let id, let secret): .basic(id: id, secret: secret)
    case .basic(let id, let secret): .post(id: id, secret: secret)
    }
  }

  /// The client with its secret in the other way, when a response says that it does not know the
  /// client as it proved itself.
  ///
  /// RFC 6749 §5.2 invalid_client: "Client authentication failed (e.g., unknown client, no client
  /// authentication included, or unsupported authentication method)." Nothing was done then: the
  /// same request may be sent again.
  func alternative(after response: ServerResponse) -> ClientAuthentication? {
    guard [400, 401].contains(response.status),
      let error = JSONObject(response.http.body).flatMap({ ErrorResponse($0, of: response) }),
      error.isAboutAuthentication(status: response.status)
    else { return nil }
    return alternative
  }
}

extension TrustedEndpoint {
  /// Sends a form as a client, in both ways to prove itself if the first is not accepted.
  ///
  /// A client is registered with the way it authenticates at the token endpoint; elsewhere a server
  /// may want another (RFC 8414 §2 revocation_endpoint_auth_methods_supported), and some take
  /// another than they say.
  func exchange(
    _ form: FormBody, as authentication: ClientAuthentication, client: any HTTPClient
  ) throws(OAuthError) -> ServerResponse {
    let first = try client.exchange(post(form, as: authentication))
    guard let alternative = authentication.alternative(after: first) else { return first }
    let second = try client.exchange(post(form, as: alternative))
    // A refusal of the second says no more than that of the first.
    return (400..<500).contains(second.status) ? first : second
  }
}
