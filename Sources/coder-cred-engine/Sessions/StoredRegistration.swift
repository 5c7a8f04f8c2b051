import Credentials
import OAuth
import Secrets

/// The OAuth client that one deployment knows this machine by, with the endpoints found when it
/// was registered, so that a refresh is one request.
struct StoredRegistration: Equatable {
  static let version: Int64 = 1

  var deployment: Deployment
  var registration: ClientRegistration
  var issuer: String
  var tokenEndpoint: String
  var revocationEndpoint: String?

  /// Where its grants become tokens, if secrets may still go there.
  func tokenEndpoint(_ policy: EndpointPolicy) throws(OAuthError) -> TokenEndpoint {
    TokenEndpoint(
      try policy.endpoint(tokenEndpoint, named: "token_endpoint"),
      authentication: registration.authentication)
  }

  /// How its tokens are revoked, if secrets may still go there; nil when the server revokes none.
  func revocation(_ policy: EndpointPolicy) throws(OAuthError) -> Revocation? {
    guard let revocationEndpoint else { return nil }
    return Revocation(
      try policy.endpoint(revocationEndpoint, named: "revocation_endpoint"),
      authentication: registration.authentication)
  }
}

extension StoredRegistration {
  init(payload line: Secret, deployment: Deployment) throws(MalformedInput) {
    let payload = try Payload(parsing: line)
    try payload.requireVersion(Self.version, url: deployment.url)
    guard let clientID = payload[text: "client_id"], let issuer = payload[text: "issuer"],
      let tokenEndpoint = payload[text: "token_endpoint"],
      let method = payload[text: "token_endpoint_auth_method"]
        .flatMap(ClientAuthenticationMethod.init(rawValue:))
    else { throw .payload(reason: "the client or its token endpoint is missing") }
    self.init(
      deployment: deployment,
      registration: ClientRegistration(
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

  func payload() throws(MalformedInput) -> Secret {
    var payload = Payload()
    payload[number: "v"] = Self.version
    payload[text: "url"] = deployment.url
    payload[text: "client_id"] = registration.clientID
    payload[secret: "client_secret"] = registration.clientSecret
    payload[number: "client_secret_expires_at"] = registration.clientSecretExpiresAt
    payload[secret: "registration_access_token"] = registration.registrationAccessToken
    payload[text: "registration_client_uri"] = registration.registrationClientURI
    payload[text: "redirect_uris"] = registration.redirectURIs.joined(separator: " ")
    payload[text: "token_endpoint_auth_method"] =
      registration.tokenEndpointAuthMethod.rawValue
    payload[text: "issuer"] = issuer
    payload[text: "token_endpoint"] = tokenEndpoint
    payload[text: "revocation_endpoint"] = revocationEndpoint
    return try payload.encoded()
  }
}
