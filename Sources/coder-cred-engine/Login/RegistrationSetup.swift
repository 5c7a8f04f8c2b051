import Credentials
import Glibc
import HTTP
import OAuth
import Secrets

/// Provides the OAuth client that a deployment knows this machine by.
struct RegistrationSetup {
  let context: CommandContext
  let deployment: Deployment
  let metadata: AuthorizationServerMetadata
  /// Where secrets may go.
  let policy: EndpointPolicy
  let http: any HTTPClient

  /// The client to sign in with: the one an administrator made, if it is named; else the one known,
  /// as it is when it fits, changed where that is possible; else a new one.
  ///
  /// What the server has changed is kept at once: a sign-in that is given up must not leave the
  /// keyring behind it. A new client is kept with its first session only.
  func client(
    _ known: StoredRegistration?, redirectURI: String, clientID: String?
  ) throws(Failure) -> StoredRegistration {
    let configured = try context.configuration().text("client-id", for: deployment)
    if let id = clientID ?? configured {
      return stored(try manual(id, isNamedNow: clientID != nil, known, redirectURI))
    }
    guard let known, let (current, details) = try current(known) else {
      return stored(try register(redirectURI))
    }
    // Before anything else is asked: the server may have replaced the registration access token.
    let kept = try keep(current, besides: known)
    if current.redirectURIs == [redirectURI] { return kept }
    if let updated = try update(current, details, redirectURI) {
      return try keep(updated, besides: kept)
    }
    guard metadata.registrationEndpoint != nil else {
      return stored(current.with(redirectURI: redirectURI))
    }
    return stored(try register(redirectURI))
  }

  /// The known registration as the server has it, if it is this server's, its secret is still good,
  /// and the server remembers it: a browser sent there with a forgotten client would never come
  /// back.
  private func current(
    _ known: StoredRegistration
  ) throws(Failure) -> (ClientRegistration, ClientMetadata?)? {
    guard known.issuer == metadata.issuer else { return nil }
    let now = context.now()
    switch known.registration.status(
      tokenEndpoint: metadata.tokenEndpoint, policy: policy, client: http, now: now)
    {
    case .registered(let current, let details):
      return current.isSecretExpired(now: now) ? nil : (current, details)
    case .gone: return nil
    case .unknown(.transport(let error)?):
      throw Failure(OAuthError.transport(error), at: deployment)
    case .unknown:
      return known.registration.isSecretExpired(now: now) ? nil : (known.registration, nil)
    }
  }

  /// The registration with this redirect URI; nil when the server does not do that.
  private func update(
    _ registration: ClientRegistration, _ details: ClientMetadata?, _ redirectURI: String
  ) throws(Failure) -> ClientRegistration? {
    let request = RegistrationRequest(
      clientName: Self.clientName, redirectURIs: [redirectURI],
      tokenEndpointAuthMethod: registration.tokenEndpointAuthMethod)
    do throws(OAuthError) {
      return try registration.update(
        request, keeping: details, policy: policy, client: http, now: context.now())
    } catch {
      switch error {
      case .transport: throw Failure(error, at: deployment)
      // Later it may do: no reason to leave a good registration behind.
      case .unavailable(let status, _, _) where [429, 502, 503, 504].contains(status):
        throw Failure(error, at: deployment)
      default:
        context.trace("the registration cannot be changed: \(error)")
        return nil
      }
    }
  }

  private func register(_ redirectURI: String) throws(Failure) -> ClientRegistration {
    let request = RegistrationRequest(
      clientName: Self.clientName, redirectURIs: [redirectURI], metadata: metadata)
    return try context.asking(deployment) { () throws(OAuthError) in
      try ClientRegistration.register(
        request, metadata: metadata, policy: policy, client: http, now: context.now())
    }
  }

  /// A client that an administrator made. Its secret is asked for once, and kept; who names the
  /// client on the command line may give another.
  private func manual(
    _ clientID: String, isNamedNow: Bool, _ known: StoredRegistration?, _ redirectURI: String
  ) throws(Failure) -> ClientRegistration {
    let kept = known.flatMap { $0.registration.clientID == clientID ? $0.registration : nil }
    var secret = kept?.clientSecret
    if isNamedNow || kept == nil {
      let what = secret == nil ? "if it has none" : "to keep the one known"
      let given = try Terminal.readSecret("Client secret (empty \(what)): ")
      if !given.isEmpty { secret = given }
    }
    guard Self.isWord(Secret(clientID)), secret.map(Self.isWord) ?? true else {
      throw Failure(
        .fixTheInput, "the client id or its secret holds a blank or a control character")
    }
    return ClientRegistration(
      clientID: clientID, clientSecret: secret, redirectURIs: [redirectURI],
      tokenEndpointAuthMethod: .preferred(of: metadata.clientAuthenticationMethods))
  }

  private func stored(_ registration: ClientRegistration) -> StoredRegistration {
    StoredRegistration(
      deployment: deployment, registration: registration, issuer: metadata.issuer,
      tokenEndpoint: metadata.tokenEndpoint, revocationEndpoint: metadata.revocationEndpoint)
  }

  private func keep(
    _ registration: ClientRegistration, besides known: StoredRegistration?
  ) throws(Failure) -> StoredRegistration {
    let client = stored(registration)
    if client != known {
      try context.keyring { store throws(StoreError) in try store.save(client) }
    }
    return client
  }

  private static func isWord(_ text: Secret) -> Bool {
    text.allSatisfy { (0x21...0x7E).contains($0) }
  }

  /// What people read when the deployment asks for consent. One registration a machine, because a
  /// deployment keeps one pair of tokens for a user and a client.
  private static var clientName: String {
    var name = [CChar](repeating: 0, count: 65)
    guard gethostname(&name, 64) == 0 else { return "coder-cred" }
    let host = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return "coder-cred on \(String(decoding: host, as: UTF8.self).prefix(40))"
  }
}

extension ClientRegistration {
  /// The same client with another redirect URI, for servers that compare no ports.
  fileprivate func with(redirectURI: String) -> ClientRegistration {
    ClientRegistration(
      clientID: clientID, clientSecret: clientSecret, clientSecretExpiresAt: clientSecretExpiresAt,
      registrationAccessToken: registrationAccessToken,
      registrationClientURI: registrationClientURI, redirectURIs: [redirectURI],
      tokenEndpointAuthMethod: tokenEndpointAuthMethod)
  }
}
