import Credentials
import Glibc
import HTTP
import OAuth
import Secrets

/// Provides the OAuth client that a deployment knows this machine by.
struct Registrar {
  let engine: Engine
  let deployment: Deployment
  let metadata: AuthorizationServerMetadata
  let http: any HTTPClient

  /// The client to sign in with: the one an administrator made, if it is named; else the one known,
  /// as it is when it fits, changed where that is possible; else a new one.
  func client(
    _ known: StoredClient?, redirectURI: String, clientID: String?
  ) throws(Failure) -> StoredClient {
    let configured = try engine.configuration().text("client-id", for: deployment)
    let registration: ClientRegistration
    if let clientID = clientID ?? configured {
      registration = try manual(clientID, known, redirectURI)
    } else if let usable = try usable(known) {
      registration = try adapted(usable, redirectURI)
    } else {
      registration = try register(redirectURI)
    }
    return StoredClient(
      deployment: deployment, registration: registration, issuer: metadata.issuer,
      tokenEndpoint: metadata.tokenEndpoint, revocationEndpoint: metadata.revocationEndpoint)
  }

  /// The known registration, if it is this server's, its secret is still good, and the server
  /// remembers it: a browser sent there with a forgotten client would never come back.
  private func usable(_ known: StoredClient?) throws(Failure) -> ClientRegistration? {
    guard let known, known.issuer == metadata.issuer,
      known.registration.registrationAccessToken != nil,
      !known.registration.isSecretExpired(now: engine.now())
    else { return nil }
    let isKnown = try engine.asking(deployment) { () throws(OAuthError) in
      try known.registration.isKnown(issuer: metadata.issuer, client: http, now: engine.now())
    }
    return isKnown ? known.registration : nil
  }

  /// The registration with this redirect URI, or a new one.
  private func adapted(
    _ registration: ClientRegistration, _ redirectURI: String
  ) throws(Failure) -> ClientRegistration {
    if registration.redirectURIs == [redirectURI] { return registration }
    let request = RegistrationRequest(
      clientName: Self.clientName, redirectURIs: [redirectURI],
      tokenEndpointAuthMethod: registration.tokenEndpointAuthMethod)
    do throws(OAuthError) {
      return try registration.update(
        request, issuer: metadata.issuer, client: http, now: engine.now())
    } catch {
      if case .transport = error { throw Failure(error, at: deployment) }
      engine.trace("the registration cannot be changed: \(error)")
      return try register(redirectURI)
    }
  }

  private func register(_ redirectURI: String) throws(Failure) -> ClientRegistration {
    let request = RegistrationRequest(
      clientName: Self.clientName, redirectURIs: [redirectURI], metadata: metadata)
    return try engine.asking(deployment) { () throws(OAuthError) in
      try ClientRegistration.register(
        request, metadata: metadata, client: http, now: engine.now())
    }
  }

  /// A client that an administrator made. Its secret is asked for once, and kept.
  private func manual(
    _ clientID: String, _ known: StoredClient?, _ redirectURI: String
  ) throws(Failure) -> ClientRegistration {
    var secret = known?.registration.clientID == clientID ? known?.registration.clientSecret : nil
    if secret == nil {
      secret =
        Terminal.isInteractive
        ? try Terminal.readSecret("Client secret (empty if it has none): ")
        : Secret(try Terminal.line(limit: 2048))
    }
    guard Self.isWord(Secret(clientID)), secret.map(Self.isWord) ?? true else {
      throw Failure(
        .fixTheInput, "the client id or its secret holds a blank or a control character")
    }
    return ClientRegistration(
      clientID: clientID, clientSecret: secret.flatMap { $0.isEmpty ? nil : $0 },
      redirectURIs: [redirectURI],
      tokenEndpointAuthMethod: metadata.clientAuthenticationMethods.contains(.clientSecretPost)
        ? .clientSecretPost : .clientSecretBasic)
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
