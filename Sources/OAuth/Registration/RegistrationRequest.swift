import HTTP

/// What a client asks to be registered as (RFC 7591 §2).
public struct RegistrationRequest: Sendable, Hashable {
  /// The name people see when they are asked for consent.
  public let clientName: String
  /// Where responses may go; older deployments heed only the first.
  public let redirectURIs: [String]
  /// How the client will authenticate.
  public let tokenEndpointAuthMethod: ClientAuthenticationMethod
  /// Whether the client will also use the device grant (RFC 8628).
  public var usesDeviceGrant = false
  /// The scopes the client may ever ask for; nil leaves that to the server.
  public let scope: String?

  /// Makes a request.
  public init(
    clientName: String, redirectURIs: [String],
    tokenEndpointAuthMethod: ClientAuthenticationMethod, scope: String? = nil
  ) {
    self.clientName = clientName
    self.redirectURIs = redirectURIs
    self.tokenEndpointAuthMethod = tokenEndpointAuthMethod
    self.scope = scope
  }

  /// Makes a request with the best way to authenticate that the server supports.
  public init(
    clientName: String, redirectURIs: [String], metadata: AuthorizationServerMetadata,
    scope: String? = nil
  ) {
    self.init(
      clientName: clientName, redirectURIs: redirectURIs,
      tokenEndpointAuthMethod: .preferred(of: metadata.clientAuthenticationMethods), scope: scope)
  }

  private var grantTypes: [String] {
    ["authorization_code", "refresh_token"]
      + (usesDeviceGrant ? [DeviceAuthorization.grantType] : [])
  }

  /// The members in the specification's spelling.
  var members: [JSONValue.Member] {
    let members: [(String, JSONValue?)] = [
      ("client_name", .string(clientName)),
      ("redirect_uris", .array(redirectURIs.map(JSONValue.string))),
      // OpenID Connect Dynamic Client Registration §2: "The default, if omitted, is web", for which
      // servers refuse loopback addresses.
      ("application_type", .string("native")),
      ("grant_types", .array(grantTypes.map(JSONValue.string))),
      ("response_types", .array([.string("code")])),
      ("token_endpoint_auth_method", .string(tokenEndpointAuthMethod.rawValue)),
      ("scope", scope.map(JSONValue.string)),
    ]
    return members.compactMap { name, value in
      value.map { JSONValue.Member(name: name, value: $0) }
    }
  }

  /// The request to an endpoint for new clients.
  func httpRequest(to url: String) -> HTTPRequest {
    HTTPRequest(
      method: "POST", url: url,
      headers: [
        HTTPField("Content-Type", "application/json"), HTTPField("Accept", "application/json"),
      ], body: Array(JSONValue.object(members).text.utf8))
  }
}
