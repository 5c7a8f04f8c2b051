import Credentials
import Glibc
import HTTP
import OAuth
import Secrets
import Sessions

/// Provides the OAuth client that we are at a deployment.
struct RegistrationSetup {
  /// A registration to sign in with.
  struct Outcome {
    let registration: StoredRegistration
    /// Whether the keyring holds it just so.
    let isStored: Bool
  }

  let flow: LoginFlow
  let metadata: AuthorizationServerMetadata
  /// Where secrets may go.
  let policy: EndpointPolicy
  let http: any HTTPClient
  /// Whether the client is to use the device grant.
  var usesDeviceGrant = false

  private var services: SessionServices { flow.services }

  /// The registration to sign in with: the client that an administrator made, if one is named; else
  /// the one known, as it is when it fits, changed where that is possible; else a new one.
  ///
  /// What the server has changed is kept at once, so that a sign-in that is given up does not leave
  /// the keyring behind the server. A new registration is kept with its first session only.
  func run(_ known: StoredRegistration?, redirectURI: String) throws(LoginError) -> Outcome {
    if let id = flow.options.clientID ?? flow.options.configuredClientID {
      return outcome(try manual(id, known, redirectURI), known)
    }
    guard let known, let (current, details, isConfirmed) = try current(known) else {
      return outcome(try register(redirectURI), known)
    }
    // Before anything else is asked: the server may have replaced the registration access token.
    let kept = try keep(current, known)
    let lacksGrant = usesDeviceGrant && details?.allowsDeviceGrant == false
    if current.redirectURIs == [redirectURI], !lacksGrant {
      guard !isConfirmed, metadata.registrationEndpoint != nil, isRefused(current) else {
        return kept
      }
      return outcome(try register(redirectURI), known)
    }
    if let updated = try update(current, details, redirectURI) {
      return try keep(updated, kept.registration)
    }
    guard metadata.registrationEndpoint != nil else {
      return outcome(current.with(redirectURI: redirectURI), known)
    }
    return outcome(try register(redirectURI), known)
  }

  /// The known registration as the server has it, if it is this server's, its secret is still good,
  /// and the server does not say that it has forgotten it: a browser sent there with a forgotten
  /// client would never come back.
  ///
  /// - Returns: the registration, what the server tells of it, and whether the server says that it
  ///   knows it; nil for one that is not to be used.
  private func current(
    _ known: StoredRegistration
  ) throws(LoginError) -> (ClientRegistration, ClientMetadata?, isConfirmed: Bool)? {
    guard known.issuer == metadata.issuer else { return nil }
    let now = services.clock.now
    switch known.information.status(
      tokenEndpoint: metadata.tokenEndpoint, policy: policy, client: http, now: now)
    {
    case .registered(let current, let details):
      return current.isSecretExpired(now: now) ? nil : (current, details, true)
    case .gone: return nil
    case .unknown(.transport(let error)?): throw .oauth(.transport(error))
    case .unknown:
      return known.information.isSecretExpired(now: now) ? nil : (known.information, nil, false)
    }
  }

  /// Whether the token endpoint says twice that it does not know a client: once may be a moment's
  /// trouble, and other accounts may be signed in with it.
  private func isRefused(_ registration: ClientRegistration) -> Bool {
    for attempt in 1...2 {
      if attempt > 1 { services.clock.sleep(milliseconds: 1_000) }
      let isRefused = registration.isRefused(
        tokenEndpoint: metadata.tokenEndpoint, policy: policy, client: http,
        now: services.clock.now)
      guard isRefused else { return false }
    }
    return true
  }

  /// The registration with this redirect URI; nil when the server does not do that.
  private func update(
    _ registration: ClientRegistration, _ details: ClientMetadata?, _ redirectURI: String
  ) throws(LoginError) -> ClientRegistration? {
    var request = RegistrationRequest(
      clientName: flow.clientName, redirectURIs: [redirectURI],
      tokenEndpointAuthMethod: registration.tokenEndpointAuthMethod)
    request.usesDeviceGrant = usesDeviceGrant
    let isGrantMissing = usesDeviceGrant && details?.allowsDeviceGrant == false
    do throws(OAuthError) {
      return try registration.update(
        request, keeping: isGrantMissing ? details?.withoutGrants : details, policy: policy,
        client: http, now: services.clock.now)
    } catch {
      switch error {
      case .transport: throw .oauth(error)
      // Later it may do: no reason to leave a good registration behind.
      case .unavailable(let status, _, _) where [429, 502, 503, 504].contains(status):
        throw .oauth(error)
      default:
        services.trace("the registration cannot be changed: \(error)")
        return nil
      }
    }
  }

  private func register(_ redirectURI: String) throws(LoginError) -> ClientRegistration {
    var request = RegistrationRequest(
      clientName: flow.clientName, redirectURIs: [redirectURI], metadata: metadata)
    request.usesDeviceGrant = usesDeviceGrant
    return try flow.asking { () throws(OAuthError) in
      try ClientRegistration.register(
        request, metadata: metadata, policy: policy, client: http, now: services.clock.now)
    }
  }

  /// A client that an administrator made. Its secret is asked for once, and kept; who names the
  /// client on the command line may give another.
  private func manual(
    _ clientID: String, _ known: StoredRegistration?, _ redirectURI: String
  ) throws(LoginError) -> ClientRegistration {
    let kept = known.flatMap { $0.clientID == clientID ? $0.information : nil }
    var secret = kept?.clientSecret
    if flow.options.clientID != nil || kept == nil {
      flow.prompt.tell(.redirectNeeded(redirectURI))
      let given = try flow.prompt.askForClientSecret(isKnown: secret != nil)
      if !given.isEmpty { secret = given }
    }
    guard Secret(clientID).isWord, secret?.isWord ?? true else {
      throw .malformedClient
    }
    return ClientRegistration(
      clientID: clientID, clientSecret: secret, redirectURIs: [redirectURI],
      tokenEndpointAuthMethod: .preferred(of: metadata.clientAuthenticationMethods))
  }

  private func outcome(
    _ information: ClientRegistration, _ known: StoredRegistration?
  ) -> Outcome {
    let registration = StoredRegistration(
      deployment: flow.deployment, information: information, issuer: metadata.issuer,
      tokenEndpoint: metadata.tokenEndpoint, revocationEndpoint: metadata.revocationEndpoint)
    return Outcome(registration: registration, isStored: registration == known)
  }

  private func keep(
    _ information: ClientRegistration, _ known: StoredRegistration
  ) throws(LoginError) -> Outcome {
    let outcome = outcome(information, known)
    if outcome.isStored { return outcome }
    try flow.storing { store throws(StoreError) in try store.save(outcome.registration) }
    return Outcome(registration: outcome.registration, isStored: true)
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
