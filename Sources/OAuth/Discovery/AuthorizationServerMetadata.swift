import Secrets

/// What an authorization server says about itself, checked (RFC 8414 §2).
public struct AuthorizationServerMetadata: Sendable, Hashable {
  /// The issuer as the server spells it.
  public let issuer: String
  /// Where the browser goes.
  public let authorizationEndpoint: String
  /// Where codes and refresh tokens are exchanged.
  public let tokenEndpoint: String
  /// Where clients register; nil when the server takes none by itself.
  public let registrationEndpoint: String?
  /// Where tokens are revoked; nil when the server revokes none.
  public let revocationEndpoint: String?
  /// Where a device asks for codes (RFC 8628 §4), unchecked: a sign-in through the browser must not
  /// fail because of it. Nil when the server has no such grant.
  public let deviceAuthorizationEndpoint: String?
  /// The ways to authenticate a client that both sides know, never empty.
  public let clientAuthenticationMethods: [ClientAuthenticationMethod]
  /// Whether every authorization response must carry `iss` (RFC 9207 §3).
  public let requiresIssuerParameter: Bool

  /// Reads and checks a metadata document.
  ///
  /// Members that are not used are not judged.
  ///
  /// - Parameters:
  ///   - document: the body of the response, JSON.
  ///   - policy: where endpoints may lie.
  /// - Throws: `malformed`, `issuerMismatch`, `foreignEndpoint` or `unsupported`.
  public init(document: [UInt8], policy: EndpointPolicy) throws(OAuthError) {
    guard let object = JSONObject(document) else {
      throw .malformed("the OAuth metadata is not a JSON object")
    }
    func required(_ name: String) throws(OAuthError) -> String {
      guard let value = try object.string(name) else {
        throw .malformed("the OAuth metadata lacks \(name)")
      }
      return value
    }
    issuer = try required("issuer")
    // RFC 8414 §3.3: "The "issuer" value returned MUST be identical to the authorization server's
    // issuer identifier value into which the well-known URI string was inserted to create the URL
    // used to retrieve the metadata. If these values are not identical, the data contained in the
    // response MUST NOT be used."
    guard let found = Endpoint(issuer), found.isSameIssuer(as: policy.deployment) else {
      throw .issuerMismatch(
        expected: policy.deployment.url, found: ForeignText.quotation(issuer) ?? "")
    }
    func optional(_ name: String) throws(OAuthError) -> String? {
      guard let url = try object.string(name) else { return nil }
      return try policy.endpoint(url, named: name).url
    }
    func endpoint(_ name: String) throws(OAuthError) -> String {
      try policy.endpoint(required(name), named: name).url
    }
    authorizationEndpoint = try endpoint("authorization_endpoint")
    tokenEndpoint = try endpoint("token_endpoint")
    registrationEndpoint = try optional("registration_endpoint")
    revocationEndpoint = try optional("revocation_endpoint")
    if case .string(let url) = object["device_authorization_endpoint"] {
      deviceAuthorizationEndpoint = url
    } else {
      deviceAuthorizationEndpoint = nil
    }
    clientAuthenticationMethods = try Self.requirements(object)
    requiresIssuerParameter =
      object["authorization_response_iss_parameter_supported"] == .bool(true)
  }

  /// Checks what this program needs, and returns the ways to authenticate a client.
  private static func requirements(
    _ object: JSONObject
  ) throws(OAuthError) -> [ClientAuthenticationMethod] {
    // Required by RFC 8414, but a server that offers the code grant can only mean "code".
    let responseTypes = try object.strings("response_types_supported") ?? ["code"]
    guard responseTypes.contains("code") else {
      throw .unsupported("the deployment does not support the response type code")
    }
    // RFC 8414 §2 grant_types_supported: "If omitted, the default value is
    // "["authorization_code", "implicit"]"." Servers that issue refresh tokens do not always list
    // the grant: what comes decides.
    let grantTypes = try object.strings("grant_types_supported") ?? ["authorization_code"]
    guard grantTypes.contains("authorization_code") else {
      throw .unsupported("the deployment does not support the grant authorization_code")
    }
    // RFC 8414 §2 code_challenge_methods_supported: "If omitted, the authorization server does not
    // support PKCE." Without it a stolen code could be redeemed, so there is no way around it.
    let challenges = try object.strings("code_challenge_methods_supported") ?? []
    guard challenges.contains("S256") else {
      throw .unsupported("the deployment does not support PKCE with S256")
    }
    // RFC 8414 §2 token_endpoint_auth_methods_supported: "If omitted, the default is
    // "client_secret_basic""
    let methods =
      try object.strings("token_endpoint_auth_methods_supported") ?? ["client_secret_basic"]
    let known = ClientAuthenticationMethod.allCases.filter { methods.contains($0.rawValue) }
    guard !known.isEmpty else {
      throw .unsupported("the deployment supports no way to authenticate a client that we know")
    }
    return known
  }
}
