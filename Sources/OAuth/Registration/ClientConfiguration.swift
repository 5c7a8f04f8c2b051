public import HTTP
import Secrets

/// The metadata of a client as the server last returned it, to be sent back with an update.
public struct ClientMetadata: Sendable, Equatable {
  /// The members that hold something. Servers fill in empty lists of their own, and do not always
  /// take them back.
  let members: [JSONValue.Member]

  init(_ object: JSONObject) {
    members = object.members.compactMap { member in
      switch member.value {
      case .null, .string(""), .array([]), .object([]): nil
      // RFC 7591 §2 scope: "String containing a space-separated list of scope values".
      case .array(let values) where member.name == "scope":
        JSONValue.Member(
          name: member.name,
          value: .string(
            values.compactMap { if case .string(let word) = $0 { word } else { nil } }
              .joined(separator: " ")))
      default: member
      }
    }
  }

  private init(members: [JSONValue.Member]) { self.members = members }

  /// Whether the client may use the device grant, as far as the server tells.
  public var allowsDeviceGrant: Bool {
    guard let grants = members.first(where: { $0.name == "grant_types" })?.value else {
      return true
    }
    return grants == .array([]) || grants.contains(DeviceAuthorization.grantType)
  }

  /// The same without the grants, so that those of a request are sent.
  public var withoutGrants: ClientMetadata {
    ClientMetadata(members: members.filter { $0.name != "grant_types" })
  }
}

extension JSONValue {
  fileprivate func contains(_ text: String) -> Bool {
    if case .array(let values) = self { values.contains(.string(text)) } else { false }
  }
}

/// What a server says about a client that it registered.
public enum RegistrationStatus: Sendable, Equatable {
  /// It exists, as it is now: with another secret or registration access token, if the server
  /// changed them. The metadata is nil where the server does not show it.
  case registered(ClientRegistration, ClientMetadata?)
  /// The server says at both addresses that it does not know the client.
  case gone
  /// Nobody can say; the reason, where there is one.
  case unknown(OAuthError?)
}

/// Reading, changing and ending a registration (RFC 7592).
///
/// Every response may bring another registration access token, and the former one is no longer good
/// then: what is returned is to be kept at once.
extension ClientRegistration {
  private static let verdicts: Set<Int> = [400, 401, 403]

  /// Asks the server about the client (RFC 7592 §2.1).
  ///
  /// This is the question to ask when the token endpoint says `invalid_client`, before anything is
  /// given up: the secret may have been replaced, or the server may have been wrong for a moment.
  ///
  /// - Parameters:
  ///   - tokenEndpoint: where it is asked again, without a grant, when the client's own address
  ///     refuses the registration access token: that alone may only mean that the token is bad.
  ///   - policy: where secrets may go.
  ///   - client: the HTTP client.
  ///   - now: the time in Unix seconds.
  /// - Returns: what is known.
  public func status(
    tokenEndpoint: String, policy: EndpointPolicy, client: any HTTPClient, now: Int64
  ) -> RegistrationStatus {
    do throws(OAuthError) {
      let (endpoint, token) = try configuration(policy)
      let response = try client.exchange(endpoint.jsonRequest(bearer: token))
      guard response.isSuccess else {
        throw OAuthError(response, verdicts: Self.verdicts, now: now)
      }
      guard let object = JSONObject(given: response.http), object["client_id"] != nil else {
        return .unknown(nil)
      }
      let current = try ClientRegistration(
        object, of: response, request: request(from: object), policy: policy, previous: self)
      return .registered(current, ClientMetadata(object))
    } catch {
      // RFC 7592 §2.1: "If the client does not exist on this server, the server MUST respond with
      // an HTTP 401 Unauthorized status code".
      guard case .refused(_, status: 401) = error else { return .unknown(error) }
      do throws(OAuthError) {
        let isKnown = try isKnown(
          at: policy.endpoint(tokenEndpoint, named: "token_endpoint"), client: client, now: now)
        return isKnown ? .registered(self, nil) : .gone
      } catch {
        return .unknown(error)
      }
    }
  }

  /// Whether the token endpoint refuses the client as it proves itself. Together with a client address
  /// that says nothing, this is no verdict on sessions; but a browser should not be sent to a server
  /// with a client that it does not know, for it would not come back.
  ///
  /// - Parameters:
  ///   - tokenEndpoint: where it is asked, without a grant.
  ///   - policy: where secrets may go.
  ///   - client: the HTTP client.
  ///   - now: the time in Unix seconds.
  /// - Returns: false also when nobody can say.
  public func isRefused(
    tokenEndpoint: String, policy: EndpointPolicy, client: any HTTPClient, now: Int64
  ) -> Bool {
    do throws(OAuthError) {
      return try !isKnown(
        at: policy.endpoint(tokenEndpoint, named: "token_endpoint"), client: client, now: now)
    } catch {
      return false
    }
  }

  /// Whether the token endpoint knows the client, asked with a code that nobody has issued.
  ///
  /// RFC 6749 §4.1.3: "The authorization server MUST: […] authenticate the client if client
  /// authentication is included", and only then look at the code.
  private func isKnown(
    at endpoint: TrustedEndpoint, client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> Bool {
    let request = TokenRequest.authorizationCode(
      code: Secret(Base64URL.encoded(RandomBytes.make(24))),
      redirectURI: redirectURIs.first ?? "http://127.0.0.1/callback", verifier: CodeVerifier(),
      resource: nil)
    let response = try endpoint.exchange(request.form, as: authentication, client: client)
    let error = OAuthError(response, now: now)
    guard case .refused = error else { throw error }
    return !error.isClientRefused
  }

  /// A request that accepts whatever redirect URIs the server has registered.
  private func request(from object: JSONObject) -> RegistrationRequest {
    let registered = (try? object.strings("redirect_uris")) ?? []
    let isOurs = redirectURIs.allSatisfy { wanted in
      registered.contains { RedirectURI.covers($0, wanted) }
    }
    return RegistrationRequest(
      clientName: "", redirectURIs: registered.isEmpty || isOurs ? redirectURIs : registered,
      tokenEndpointAuthMethod: tokenEndpointAuthMethod)
  }

  /// Replaces the registration, for instance to change its redirect URI.
  ///
  /// RFC 7592 §2.2: "Valid values of client metadata fields in this request MUST replace, not
  /// augment, the values previously associated with this client." So everything that the server
  /// returned is sent back but for the redirect URIs: names and limits set by an administrator stay.
  ///
  /// - Parameters:
  ///   - request: the redirect URIs to register, and what to send where the server returned nothing.
  ///   - metadata: what the server returned, from ``status(tokenEndpoint:policy:client:now:)``.
  ///   - policy: where secrets may go.
  ///   - client: the HTTP client.
  ///   - now: the time in Unix seconds.
  /// - Returns: the registration as it is now.
  /// - Throws: `unsupported` when the server gave no way to change it, `foreignEndpoint`, `refused`,
  ///   `redirected`, `unavailable`, `malformed` or `transport`.
  public func update(
    _ request: RegistrationRequest, keeping metadata: ClientMetadata?, policy: EndpointPolicy,
    client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> ClientRegistration {
    let (endpoint, token) = try configuration(policy)
    // RFC 7592 §2.2: "This request MUST include all client metadata fields as returned to the
    // client from a previous registration, read, or update operation. […] The request MUST include
    // the client_id field […]. The updated client metadata fields request MUST NOT include the
    // registration_access_token, registration_client_uri, client_secret_expires_at, or
    // client_id_issued_at fields".
    let ours: Set = [
      "client_id", "client_secret", "registration_access_token", "registration_client_uri",
      "client_secret_expires_at", "client_id_issued_at", "redirect_uris",
    ]
    let kept = (metadata?.members ?? []).filter { !ours.contains($0.name) }
    let names = Set(kept.map(\.name))
    let members =
      [JSONValue.Member(name: "client_id", value: .string(clientID))] + kept
      + request.members.filter { !names.contains($0.name) }
    let response = try client.exchange(
      endpoint.jsonRequest("PUT", bearer: token, body: Array(JSONValue.object(members).text.utf8)))
    guard response.isSuccess else {
      throw OAuthError(response, verdicts: Self.verdicts, now: now)
    }
    guard let object = JSONObject(given: response.http) else {
      throw .malformed("the registration is not a JSON object")
    }
    return try ClientRegistration(
      object, of: response, request: request, policy: policy, previous: self)
  }

  /// Ends the registration, and with it every token issued under it.
  ///
  /// - Parameters:
  ///   - policy: where secrets may go.
  ///   - client: the HTTP client.
  ///   - now: the time in Unix seconds.
  /// - Throws: as ``update(_:keeping:policy:client:now:)``; `refused` with status 401 means that the
  ///   client is gone already or the token is not its own.
  public func delete(
    policy: EndpointPolicy, client: any HTTPClient, now: Int64
  ) throws(OAuthError) {
    let (endpoint, token) = try configuration(policy)
    let response = try client.exchange(endpoint.jsonRequest("DELETE", bearer: token))
    // RFC 7592 §2.3: "the authorization server MUST respond with an HTTP 204 No Content message"
    guard response.isSuccess else {
      throw OAuthError(response, verdicts: Self.verdicts, now: now)
    }
  }

  private func configuration(
    _ policy: EndpointPolicy
  ) throws(OAuthError) -> (TrustedEndpoint, Secret) {
    guard let url = registrationClientURI, let token = registrationAccessToken else {
      throw .unsupported("the deployment gave no way to change this registration")
    }
    return (try policy.endpoint(url, named: "registration_client_uri"), token)
  }
}
