import FoundationEssentials
import HTTP
import Secrets

/// What a client asks to be registered as (RFC 7591 §2).
public struct RegistrationRequest: Sendable, Hashable {
  /// The name people see when they are asked for consent.
  public let clientName: String
  /// Where answers may go; older deployments heed only the first.
  public let redirectURIs: [String]
  /// How the client will authenticate.
  public let tokenEndpointAuthMethod: ClientAuthenticationMethod
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
  ///
  /// `client_secret_post` comes first because every deployment that has OAuth knows it.
  public init(
    clientName: String, redirectURIs: [String], metadata: AuthorizationServerMetadata,
    scope: String? = nil
  ) {
    let preferred: [ClientAuthenticationMethod] = [.clientSecretPost, .clientSecretBasic, .none]
    self.init(
      clientName: clientName, redirectURIs: redirectURIs,
      tokenEndpointAuthMethod: preferred.first(
        where: metadata.clientAuthenticationMethods.contains) ?? .clientSecretBasic,
      scope: scope)
  }

  /// The request as JSON to send.
  ///
  /// - Parameters:
  ///   - method: `POST` to register, `PUT` to replace.
  ///   - url: the endpoint.
  ///   - clientID: the registered identifier, when replacing.
  ///   - token: the registration access token, when replacing.
  /// - Returns: the request.
  /// - Throws: `malformed`, should the JSON encoder fail.
  func httpRequest(
    method: String, url: String, clientID: String? = nil, token: Secret? = nil
  ) throws(OAuthError) -> HTTPRequest {
    let document = Document(
      client_id: clientID, client_name: clientName, redirect_uris: redirectURIs,
      token_endpoint_auth_method: tokenEndpointAuthMethod.rawValue, scope: scope)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let body = try? encoder.encode(document) else {
      throw .malformed("the registration cannot be written as JSON")
    }
    return HTTPRequest(
      method: method, url: url,
      headers: [
        HTTPField("Content-Type", "application/json"), HTTPField("Accept", "application/json"),
      ] + [token.map(HTTPField.bearer)].compactMap(\.self),
      body: Array(body))
  }

  /// The members in the specification's spelling.
  private struct Document: Encodable {
    let client_id: String?
    let client_name: String
    let redirect_uris: [String]
    let grant_types = ["authorization_code", "refresh_token"]
    let response_types = ["code"]
    let token_endpoint_auth_method: String
    let scope: String?
  }
}
