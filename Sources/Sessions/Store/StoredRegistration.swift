package import Credentials
package import OAuth
package import Secrets

/// The OAuth client that we are registered as at one deployment, with the endpoints found at
/// sign-in, so that a refresh is one request.
package struct StoredRegistration: Equatable, Sendable {
  /// The format version written, and the newest understood.
  static let version: Int64 = 1

  /// Where we are registered.
  package var deployment: Deployment
  /// What the server said of the client (RFC 7591 §3.2.1, "Client Information Response").
  package var information: ClientRegistration
  /// The issuer that the client is registered at.
  package var issuer: String
  /// Where codes and refresh tokens are exchanged.
  package var tokenEndpoint: String
  /// Where tokens are revoked; nil when the server revokes none.
  package var revocationEndpoint: String?

  /// Makes a registration.
  package init(
    deployment: Deployment, information: ClientRegistration, issuer: String,
    tokenEndpoint: String, revocationEndpoint: String?
  ) {
    self.deployment = deployment
    self.information = information
    self.issuer = issuer
    self.tokenEndpoint = tokenEndpoint
    self.revocationEndpoint = revocationEndpoint
  }

  /// The client identifier.
  package var clientID: String { information.clientID }

  /// How the client proves itself.
  package var authentication: ClientAuthentication { information.authentication }

  /// Whether this machine registered it, and so may delete it, rather than a person by hand.
  package var isDynamic: Bool {
    information.registrationAccessToken != nil && information.registrationClientURI != nil
  }

  /// Where our grants become tokens, if secrets may still go there.
  ///
  /// - Throws: `foreignEndpoint` or `malformed`, as the policy does.
  package func tokenEndpoint(_ policy: EndpointPolicy) throws(OAuthError) -> TokenEndpoint {
    TokenEndpoint(
      try policy.endpoint(tokenEndpoint, named: "token_endpoint"), authentication: authentication)
  }

  /// How our tokens are revoked, if secrets may still go there; nil when the server revokes none.
  ///
  /// - Throws: `foreignEndpoint` or `malformed`, as the policy does.
  package func revocation(_ policy: EndpointPolicy) throws(OAuthError) -> Revocation? {
    guard let revocationEndpoint else { return nil }
    return Revocation(
      try policy.endpoint(revocationEndpoint, named: "revocation_endpoint"),
      authentication: authentication)
  }
}

extension StoredRegistration {
  /// Reads a stored payload.
  ///
  /// - Throws: ``MalformedInput`` for what is not ours, or belongs to another deployment.
  package init(payload line: Secret, deployment: Deployment) throws(MalformedInput) {
    var payload = try Payload(parsing: line)
    try payload.takeVersion(Self.version, url: deployment.url)
    guard let clientID = payload[text: "client_id"], let issuer = payload[text: "issuer"],
      let tokenEndpoint = payload[text: "token_endpoint"],
      let method = payload[text: "token_endpoint_auth_method"]
        .flatMap(ClientAuthenticationMethod.init(rawValue:))
    else { throw .payload(reason: "the client or its token endpoint is missing") }
    self.init(
      deployment: deployment,
      information: ClientRegistration(
        clientID: clientID,
        clientSecret: payload[secret: "client_secret"],
        clientSecretExpiresAt: payload[number: "client_secret_expires_at"],
        registrationAccessToken: payload[secret: "registration_access_token"],
        registrationClientURI: payload[text: "registration_client_uri"],
        redirectURIs: (payload[text: "redirect_uris"] ?? "").utf8
          .split(separator: UInt8(ascii: " ")).compactMap(String.init),
        tokenEndpointAuthMethod: method),
      issuer: issuer, tokenEndpoint: tokenEndpoint,
      revocationEndpoint: payload[text: "revocation_endpoint"])
  }

  /// The payload to store.
  package func payload() throws(MalformedInput) -> Secret {
    var payload = Payload()
    payload[number: "v"] = Self.version
    payload[text: "url"] = deployment.url
    payload[text: "client_id"] = information.clientID
    payload[secret: "client_secret"] = information.clientSecret
    payload[number: "client_secret_expires_at"] = information.clientSecretExpiresAt
    payload[secret: "registration_access_token"] = information.registrationAccessToken
    payload[text: "registration_client_uri"] = information.registrationClientURI
    payload[text: "redirect_uris"] = information.redirectURIs.joined(separator: " ")
    payload[text: "token_endpoint_auth_method"] =
      information.tokenEndpointAuthMethod.rawValue
    payload[text: "issuer"] = issuer
    payload[text: "token_endpoint"] = tokenEndpoint
    payload[text: "revocation_endpoint"] = revocationEndpoint
    return try payload.encoded()
  }
}
