public import HTTP
public import Secrets

/// What a server gave a client when it registered (RFC 7591 §3.2.1).
public struct ClientRegistration: Sendable, Hashable {
  /// The longest identifier or secret kept, in bytes. Servers without a database put a whole signed
  /// document into the identifier.
  private static let wordLimit = 8192

  /// The client identifier.
  public let clientID: String
  /// The client secret; nil for a public client.
  public let clientSecret: Secret?
  /// When the secret expires, in Unix seconds; nil for never.
  public let clientSecretExpiresAt: Int64?
  /// What authorises changes to the registration (RFC 7592).
  public let registrationAccessToken: Secret?
  /// Where the registration is changed; the deployment's own or nil.
  public let registrationClientURI: String?
  /// Where responses may go.
  public let redirectURIs: [String]
  /// How the client authenticates, as the server returned it.
  public let tokenEndpointAuthMethod: ClientAuthenticationMethod

  /// Makes a registration from its parts, such as those kept from an earlier one.
  public init(
    clientID: String, clientSecret: Secret? = nil, clientSecretExpiresAt: Int64? = nil,
    registrationAccessToken: Secret? = nil, registrationClientURI: String? = nil,
    redirectURIs: [String], tokenEndpointAuthMethod: ClientAuthenticationMethod
  ) {
    self.clientID = clientID
    self.clientSecret = clientSecret
    self.clientSecretExpiresAt = clientSecretExpiresAt
    self.registrationAccessToken = registrationAccessToken
    self.registrationClientURI = registrationClientURI
    self.redirectURIs = redirectURIs
    self.tokenEndpointAuthMethod = tokenEndpointAuthMethod
  }

  /// How this client authenticates.
  public var authentication: ClientAuthentication {
    ClientAuthentication(clientID: clientID, secret: clientSecret, method: tokenEndpointAuthMethod)
  }

  /// Whether the secret is no longer good at a time in Unix seconds.
  public func isSecretExpired(now: Int64) -> Bool {
    clientSecretExpiresAt.map { $0 <= now } ?? false
  }

  /// Registers a client. One that the server made but that cannot be used is deleted again.
  ///
  /// - Parameters:
  ///   - request: what to register.
  ///   - metadata: the server's metadata.
  ///   - policy: where the registration may be managed.
  ///   - client: the HTTP client.
  ///   - now: the time in Unix seconds.
  /// - Returns: the registration.
  /// - Throws: `registrationDisabled`, `notOffered`, `refused`, `unavailable`, `unsupported`,
  ///   `malformed` or `transport`.
  public static func register(
    _ request: RegistrationRequest, metadata: AuthorizationServerMetadata,
    policy: EndpointPolicy, client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> ClientRegistration {
    guard let url = metadata.registrationEndpoint else {
      throw .registrationDisabled(reason: nil)
    }
    let response = try client.exchange(request.httpRequest(to: url))
    // RFC 7591 §3.2.1: "The server responds with an HTTP 201 Created status code"; some say 200.
    guard response.isSuccess else { throw .registration(response, now: now) }
    guard let object = JSONObject(given: response.http) else {
      throw .malformed("the registration is not a JSON object")
    }
    do throws(OAuthError) {
      return try ClientRegistration(object, of: response, request: request, policy: policy)
    } catch {
      if let unusable = ClientRegistration(managementOf: object, policy: policy) {
        try? unusable.delete(policy: policy, client: client, now: now)
      }
      throw error
    }
  }

  /// Reads and checks what a server says about a client. Empty members count as absent.
  init(
    _ object: JSONObject, of response: ServerResponse, request: RegistrationRequest,
    policy: EndpointPolicy, previous: ClientRegistration? = nil
  ) throws(OAuthError) {
    func word(_ name: String) throws(OAuthError) -> String? {
      guard let value = try object.string(name) else { return nil }
      guard TokenSyntax.isWord(value, limit: Self.wordLimit) else {
        throw .malformed("the \(name) holds unusable characters or is too long")
      }
      return value
    }
    guard let clientID = try word("client_id") else {
      if let error = ErrorResponse(object, of: response) {
        throw .refused(error, status: response.status)
      }
      throw .malformed("the registration has no client_id")
    }
    guard previous.map({ $0.clientID == clientID }) ?? true else {
      throw .malformed("the registration is another client's")
    }
    // RFC 7591 §3.2.1: "the authorization server MUST return all registered metadata about this
    // client"; where it does not, what was asked for stands.
    var method = request.tokenEndpointAuthMethod
    if let name = try object.string("token_endpoint_auth_method") {
      guard let known = ClientAuthenticationMethod(rawValue: name) else {
        throw .unsupported("the deployment wants a way to authenticate that we do not know")
      }
      method = known
    }
    let registered = try Self.redirectURIs(object)
    guard
      registered.isEmpty
        || request.redirectURIs.allSatisfy({ wanted in
          registered.contains { RedirectURI.covers($0, wanted) }
        })
    else { throw .malformed("the registration is for other redirect URIs than asked for") }
    let secret = try word("client_secret").map { Secret($0) }
    // A later response need not repeat the secret, nor the registration access token.
    let token = try word("registration_access_token").map { Secret($0) }
    let uri = try object.string("registration_client_uri").flatMap(policy.managementURL)
    self.init(
      clientID: clientID, clientSecret: secret ?? previous?.clientSecret,
      clientSecretExpiresAt: Self.expiry(object["client_secret_expires_at"])
        ?? (secret == nil ? previous?.clientSecretExpiresAt : nil),
      registrationAccessToken: token ?? previous?.registrationAccessToken,
      registrationClientURI: uri ?? previous?.registrationClientURI,
      redirectURIs: request.redirectURIs, tokenEndpointAuthMethod: method)
  }

  /// The redirect URIs, also a single one without a list.
  private static func redirectURIs(_ object: JSONObject) throws(OAuthError) -> [String] {
    if case .string(let uri) = object["redirect_uris"] { return [uri] }
    return try object.strings("redirect_uris") ?? []
  }

  /// What is needed to delete a client of which nothing else can be used.
  private init?(managementOf object: JSONObject, policy: EndpointPolicy) {
    guard case .string(let id) = object["client_id"],
      case .string(let token) = object["registration_access_token"], TokenSyntax.isWord(token),
      case .string(let uri) = object["registration_client_uri"]
    else { return nil }
    self.init(
      clientID: id, registrationAccessToken: Secret(token),
      registrationClientURI: policy.managementURL(uri), redirectURIs: [],
      tokenEndpointAuthMethod: .none)
  }

  /// RFC 7591 §3.2.1 client_secret_expires_at: "Time at which the client secret will expire or 0
  /// if it will not expire." Deployments leave it out instead of writing 0.
  private static func expiry(_ value: JSONValue?) -> Int64? {
    guard let seconds = value?.double, seconds > 0 else { return nil }
    return Int64(min(seconds, 253_402_300_799))
  }
}

extension OAuthError {
  /// Sorts a refused registration.
  fileprivate static func registration(_ response: ServerResponse, now: Int64) -> OAuthError {
    let error = OAuthError(response, verdicts: [400], now: now)
    switch (response.status, error) {
    case (_, .redirected): return .registrationDisabled(reason: nil)
    // What is wrong is not what was asked for, but who asks.
    case (_, .refused(let refusal, _)) where !refusal.isAboutClientMetadata:
      return .registrationDisabled(reason: refusal.description ?? refusal.code)
    // Nobody may register without credentials of another kind, there is nothing at the address, or
    // the server does not take what we ask for and says so in words of its own.
    case (501, .unavailable(_, let reason, _)),
      (400..<500, .unavailable(_, let reason, nil))
    where ![408, 425, 429].contains(response.status):
      // Deployments name the experiment to enable when all of OAuth is switched off.
      if let reason, reason.lowercased().contains("requires enabling") {
        return .notOffered("it says \"\(reason)\"")
      }
      return .registrationDisabled(reason: reason)
    default: return error
    }
  }
}
