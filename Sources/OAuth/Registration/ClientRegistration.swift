public import HTTP
public import Secrets

/// What a server gave a client when it registered (RFC 7591 §3.2.1).
public struct ClientRegistration: Sendable, Hashable {
  /// The client identifier.
  public let clientID: String
  /// The client secret; nil for a public client.
  public let clientSecret: Secret?
  /// When the secret expires, in Unix seconds; nil for never.
  public let clientSecretExpiresAt: Int64?
  /// What authorises changes to the registration (RFC 7592).
  public let registrationAccessToken: Secret?
  /// Where the registration is changed; on the issuer's origin or nil.
  public let registrationClientURI: String?
  /// Where answers may go.
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

  /// Registers a client.
  ///
  /// - Parameters:
  ///   - request: what to register.
  ///   - metadata: the server's metadata.
  ///   - client: the way to the network.
  ///   - now: the time in Unix seconds.
  /// - Returns: the registration.
  /// - Throws: `registrationDisabled`, `refused`, `unavailable`, `malformed` or `transport`.
  public static func register(
    _ request: RegistrationRequest, metadata: AuthorizationServerMetadata,
    client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> ClientRegistration {
    guard let url = metadata.registrationEndpoint else { throw .registrationDisabled }
    let answer = try client.exchange(request.httpRequest(method: "POST", url: url))
    // RFC 7591 §3.2.1: "Upon a successful registration request, the authorization server returns
    // a client identifier for the client. The server responds with an HTTP 201 Created status code"
    guard answer.status == 201 || answer.status == 200 else {
      throw .registration(answer, now: now)
    }
    return try ClientRegistration(answer.body, request: request, issuer: metadata.issuer)
  }

  /// Reads and checks an answer to a registration or an update.
  init(
    _ body: [UInt8], request: RegistrationRequest, issuer: String,
    previous: ClientRegistration? = nil
  ) throws(OAuthError) {
    guard let object = JSONObject(body) else {
      throw .malformed("the registration is not a JSON object")
    }
    if let error = ErrorResponse(object) { throw .refused(error, status: 200) }
    func word(_ name: String) throws(OAuthError) -> String? {
      guard let value = try object.string(name), !value.isEmpty else { return nil }
      guard TokenSyntax.isWord(value, limit: 2048) else {
        throw .malformed("the \(name) holds unusable characters or is too long")
      }
      return value
    }
    guard let clientID = try word("client_id"), previous.map({ $0.clientID == clientID }) ?? true
    else { throw .malformed("the registration has no client_id, or another one") }

    // RFC 7591 §3.2.1: "the authorization server MUST return all registered metadata about this
    // client"; where it does not, what was asked for stands.
    var method = request.tokenEndpointAuthMethod
    if let name = try object.string("token_endpoint_auth_method") {
      guard let known = ClientAuthenticationMethod(rawValue: name) else {
        throw .unsupported("the deployment wants a way to authenticate that we do not know")
      }
      method = known
    }
    let redirectURIs = try object.strings("redirect_uris") ?? request.redirectURIs
    guard request.redirectURIs.allSatisfy(redirectURIs.contains) else {
      throw .malformed("the registration is for other redirect URIs than asked for")
    }
    let secret = try word("client_secret").map { Secret($0) }
    // An update's answer need not repeat the secret, nor the registration access token.
    let token = try word("registration_access_token").map { Secret($0) }
    let origin = Endpoint(issuer)?.origin
    let uri = try word("registration_client_uri") ?? previous?.registrationClientURI
    self.init(
      clientID: clientID, clientSecret: secret ?? previous?.clientSecret,
      clientSecretExpiresAt: Self.expiry(object["client_secret_expires_at"])
        ?? (secret == nil ? previous?.clientSecretExpiresAt : nil),
      registrationAccessToken: token ?? previous?.registrationAccessToken,
      registrationClientURI: uri.flatMap { Endpoint($0)?.origin == origin ? $0 : nil },
      redirectURIs: request.redirectURIs, tokenEndpointAuthMethod: method)
  }

  /// RFC 7591 §3.2.1 client_secret_expires_at: "Time at which the client secret will expire or 0
  /// if it will not expire." Deployments leave it out instead of writing 0.
  private static func expiry(_ value: JSONValue?) -> Int64? {
    guard case .number(let seconds) = value, seconds > 0 else { return nil }
    return Int64(min(seconds, 253_402_300_799))
  }
}

extension OAuthError {
  /// Sorts a refused registration.
  fileprivate static func registration(_ answer: HTTPResponse, now: Int64) -> OAuthError {
    guard answer.status == 403 else { return OAuthError(answer: answer, now: now) }
    let object = JSONObject(answer.body)
    let reason = object.flatMap(ErrorResponse.init)?.description ?? object.flatMap(message)
    // Deployments say "invalid_request" and "disabled" when registration is switched off, and
    // name the experiment to enable when all of OAuth is.
    if reason?.lowercased().contains("disabled") == true { return .registrationDisabled }
    if reason?.lowercased().contains("requires enabling") == true {
      return .notOffered(reason ?? "it is switched off")
    }
    return OAuthError(answer: answer, verdicts: [403], now: now)
  }
}
