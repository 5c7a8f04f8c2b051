public import HTTP
import Secrets

/// Changing and ending a registration (RFC 7592).
extension ClientRegistration {
  private static let verdicts: Set<Int> = [400, 401, 403]

  /// Replaces the registration, for instance to change its redirect URI.
  ///
  /// RFC 7592 §2.2: "Valid values of client metadata fields in this request MUST replace, not
  /// augment, the values previously associated with this client." So everything is sent again.
  ///
  /// - Parameters:
  ///   - request: the whole registration as it shall be.
  ///   - issuer: the issuer that registered the client.
  ///   - client: the way to the network.
  ///   - now: the time in Unix seconds.
  /// - Returns: the registration as it is now.
  /// - Throws: `unsupported` when the server gave no way to change it, `refused`, `unavailable`,
  ///   `malformed` or `transport`.
  public func update(
    _ request: RegistrationRequest, issuer: String, client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> ClientRegistration {
    let (url, token) = try configuration(issuer)
    let answer = try client.exchange(
      request.httpRequest(method: "PUT", url: url, clientID: clientID, token: token))
    guard answer.status == 200 else {
      throw OAuthError(answer: answer, verdicts: Self.verdicts, now: now)
    }
    return try ClientRegistration(answer.body, request: request, issuer: issuer, previous: self)
  }

  /// Reads the registration as the server has it now (RFC 7592 §2.1).
  ///
  /// - Parameters:
  ///   - issuer: the issuer that registered the client.
  ///   - client: the way to the network.
  ///   - now: the time in Unix seconds.
  /// - Returns: the registration, changed where the server has changed it, as with a new secret or
  ///   registration access token, and as it is where the server will not tell; nil only when the
  ///   server says that it knows no such client.
  /// - Throws: `transport` when there is no answer.
  public func current(
    issuer: String, client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> ClientRegistration? {
    guard let (url, token) = try? configuration(issuer) else { return self }
    let answer = try client.exchange(
      HTTPRequest(url: url, headers: [HTTPField("Accept", "application/json"), .bearer(token)]))
    // RFC 7592 §2.1: "If the client does not exist on this server, the server MUST respond with an
    // HTTP 401 Unauthorized status code".
    if answer.status == 401 { return nil }
    guard answer.status == 200, let object = JSONObject(answer.body) else { return self }
    let told = (try? object.strings("redirect_uris")).flatMap(\.self) ?? []
    let request = RegistrationRequest(
      clientName: "", redirectURIs: told.isEmpty ? redirectURIs : told,
      tokenEndpointAuthMethod: tokenEndpointAuthMethod)
    let current = try? ClientRegistration(
      answer.body, request: request, issuer: issuer, previous: self)
    return current ?? self
  }

  /// Ends the registration, and with it every token issued under it.
  ///
  /// - Parameters:
  ///   - issuer: the issuer that registered the client.
  ///   - client: the way to the network.
  ///   - now: the time in Unix seconds.
  /// - Throws: as ``update(_:issuer:client:now:)``; `refused` with status 401 means that the client
  ///   is gone already or the token is not its own.
  public func delete(issuer: String, client: any HTTPClient, now: Int64) throws(OAuthError) {
    let (url, token) = try configuration(issuer)
    let answer = try client.exchange(
      HTTPRequest(
        method: "DELETE", url: url,
        headers: [HTTPField("Accept", "application/json"), .bearer(token)]))
    // RFC 7592 §2.3: "the authorization server MUST respond with an HTTP 204 No Content message"
    guard answer.status == 204 || answer.status == 200 else {
      throw OAuthError(answer: answer, verdicts: Self.verdicts, now: now)
    }
  }

  private func configuration(_ issuer: String) throws(OAuthError) -> (url: String, token: Secret) {
    guard let url = registrationClientURI, let token = registrationAccessToken,
      let origin = Endpoint(issuer)?.origin
    else { throw .unsupported("the deployment gave no way to change this registration") }
    let endpoint = try Endpoint.checked(
      "registration_client_uri", url, issuer: origin, allowedOrigins: [])
    return (endpoint.url, token)
  }
}
