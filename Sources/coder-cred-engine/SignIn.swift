import Credentials
import Glibc
import HTTP
import OAuth

/// Signing in by OAuth, from the deployment's metadata to a session in the keyring.
struct SignIn {
  /// How long the person may take in the browser, in seconds.
  static let patience = 300

  let engine: Engine
  let deployment: Deployment
  let scope: String?
  let port: UInt16?
  let opensBrowser: Bool

  func run() throws(Failure) -> StoredSession {
    let known = try prepareKeyring()
    let http = try engine.client(for: deployment)
    Terminal.say("Signing in to \(deployment.url) …")
    let metadata = try asking { () throws(OAuthError) in
      try AuthorizationServerMetadata.discover(
        deployment: deployment.url, client: http, now: engine.now())
    }
    let receiver = try receiver(known)
    let client = try client(known, metadata, receiver.redirectURI, http)
    let response = try authorize(client, metadata, receiver)
    return try keep(client, response, http)
  }

  /// A locked keyring, or an item that must not be replaced, shows before anyone is sent to a
  /// browser.
  private func prepareKeyring() throws(Failure) -> StoredClient? {
    try engine.keyring { store throws(StoreError) in
      try store.unlock(within: 120)
      _ = try store.sessions(of: deployment, account: nil)
      return try store.client(of: deployment)
    }
  }

  /// Listens on the port that is configured, else on the one registered last: older deployments
  /// compare it.
  private func receiver(_ known: StoredClient?) throws(Failure) -> LoopbackReceiver {
    let configured = try engine.configuration().number(
      "redirect-port", for: deployment, in: 1024...65_535)
    if let port = port ?? configured.map({ UInt16($0) }) {
      return try asking { () throws(OAuthError) in try LoopbackReceiver(port: port) }
    }
    let remembered = known?.registration.redirectURIs.first.flatMap(Self.port(of:))
    if let remembered, let receiver = try? LoopbackReceiver(port: remembered) { return receiver }
    return try asking { () throws(OAuthError) in try LoopbackReceiver() }
  }

  private static func port(of redirectURI: String) -> UInt16? {
    (try? Deployment(url: redirectURI))?.port.map { UInt16($0) }
  }

  /// The client this machine is known by: as it is when it fits, changed where it can be, else new.
  private func client(
    _ known: StoredClient?, _ metadata: AuthorizationServerMetadata, _ redirectURI: String,
    _ http: any HTTPClient
  ) throws(Failure) -> StoredClient {
    let registration: ClientRegistration
    if let known = known?.registration(for: metadata, now: engine.now()) {
      if known.redirectURIs == [redirectURI] {
        registration = known
      } else if let updated = try? known.update(
        request(redirectURI, known.tokenEndpointAuthMethod), issuer: metadata.issuer, client: http,
        now: engine.now())
      {
        registration = updated
      } else {
        registration = try register(redirectURI, metadata, http)
      }
    } else {
      registration = try register(redirectURI, metadata, http)
    }
    return StoredClient(
      deployment: deployment, registration: registration, issuer: metadata.issuer,
      tokenEndpoint: metadata.tokenEndpoint, revocationEndpoint: metadata.revocationEndpoint)
  }

  private func register(
    _ redirectURI: String, _ metadata: AuthorizationServerMetadata, _ http: any HTTPClient
  ) throws(Failure) -> ClientRegistration {
    let request = RegistrationRequest(
      clientName: Self.clientName, redirectURIs: [redirectURI], metadata: metadata)
    return try asking { () throws(OAuthError) in
      try ClientRegistration.register(
        request, metadata: metadata, client: http, now: engine.now())
    }
  }

  private func request(
    _ redirectURI: String, _ method: ClientAuthenticationMethod
  ) -> RegistrationRequest {
    RegistrationRequest(
      clientName: Self.clientName, redirectURIs: [redirectURI], tokenEndpointAuthMethod: method)
  }

  /// What people read when the deployment asks for consent. One registration a machine, because a
  /// deployment keeps one pair of tokens for a user and a client.
  private static var clientName: String {
    var name = [CChar](repeating: 0, count: 65)
    guard gethostname(&name, 64) == 0 else { return "coder-cred" }
    let host = String(
      decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "coder-cred on \(host.prefix(40))"
  }

  private func authorize(
    _ client: StoredClient, _ metadata: AuthorizationServerMetadata, _ receiver: LoopbackReceiver
  ) throws(Failure) -> (code: AuthorizationResponse, verifier: CodeVerifier, redirectURI: String) {
    let verifier = CodeVerifier()
    let state = State()
    let request = AuthorizationRequest(
      endpoint: metadata.authorizationEndpoint, clientID: client.registration.clientID,
      redirectURI: receiver.redirectURI, state: state, challenge: verifier.challenge, scope: scope)
    let url = try asking { () throws(OAuthError) in try request.url() }
    let isOpen = opensBrowser && Browser(environment: engine.environment).open(url)
    Terminal.say(
      isOpen
        ? "Your browser asks whether to allow it. If none opened, open this address:"
        : "Open this address in a browser on this machine:")
    Terminal.say("  \(url)")
    let response = try asking { () throws(OAuthError) in
      try receiver.waitForResponse(
        AuthorizationResponse.Expectation(state: state, metadata: metadata),
        seconds: Self.patience)
    }
    return (response, verifier, receiver.redirectURI)
  }

  private func keep(
    _ client: StoredClient,
    _ answer: (code: AuthorizationResponse, verifier: CodeVerifier, redirectURI: String),
    _ http: any HTTPClient
  ) throws(Failure) -> StoredSession {
    let signals = HeldSignals()
    defer { signals.release() }
    let tokens = try asking { () throws(OAuthError) in
      try TokenEndpoint(
        url: client.tokenEndpoint, authentication: client.registration.authentication
      ).exchange(
        code: answer.code.code, redirectURI: answer.redirectURI, verifier: answer.verifier,
        client: http, now: engine.now())
    }
    let account = DeploymentAPI(deployment: deployment, client: http).userName(tokens.accessToken)
    var session = StoredSession(
      deployment: deployment, account: account ?? "", method: .oauth,
      accessToken: tokens.accessToken)
    session.clientID = client.registration.clientID
    session = session.renewed(with: tokens, now: engine.now())
    // A refresh of the former session may be under way; what it saves must not come last.
    let lock = try RefreshLock(
      of: deployment, account: session.account, environment: engine.environment)
    let kept = session
    try lock.hold { () throws(Failure) in
      try engine.keyring { store throws(StoreError) in
        try store.save(client)
        try store.save(kept)
      }
    }
    return kept
  }

  private func asking<Value>(
    _ body: () throws(OAuthError) -> Value
  ) throws(Failure) -> Value {
    do throws(OAuthError) {
      return try body()
    } catch {
      throw Failure(error, at: deployment)
    }
  }
}

extension StoredClient {
  /// The registration, if it is this server's and its secret still good.
  fileprivate func registration(
    for metadata: AuthorizationServerMetadata, now: Int64
  ) -> ClientRegistration? {
    issuer == metadata.issuer && !registration.isSecretExpired(now: now) ? registration : nil
  }
}
