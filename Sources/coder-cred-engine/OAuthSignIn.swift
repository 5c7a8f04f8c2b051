import Credentials
import HTTP
import OAuth
import Secrets

/// Signing in by OAuth, from the deployment's metadata to a session in the keyring.
struct OAuthSignIn {
  let engine: Engine
  let deployment: Deployment
  let wishes: SignIn.Wishes
  /// The session that another sign-in brought meanwhile.
  let elsewhere: () -> StoredSession?

  /// What the browser brings back, and what it takes to use it.
  private struct Grant {
    let code: Secret
    let verifier: CodeVerifier
    let redirectURI: String
    let resource: String?
  }

  func run() throws(Failure) -> StoredSession {
    let http = try engine.client(for: deployment)
    Terminal.say("Signing in to \(deployment.url) …")
    let allowed = try engine.configuration().words("allowed-origins", for: deployment)
    let metadata = try engine.asking(deployment) { () throws(OAuthError) in
      try AuthorizationServerMetadata.discover(
        deployment: deployment.url, client: http, allowedOrigins: Set(allowed), now: engine.now())
    }
    let mayChoose = wishes.method == .auto && Terminal.isInteractive
    if mayChoose, try !wantsBrowser() {
      return try TokenSignIn(engine: engine, deployment: deployment, wishes: wishes).run()
    }
    let known = try engine.keyring { store throws(StoreError) in
      try store.client(of: deployment)
    }
    do throws(Failure) {
      return try signIn(known, metadata, http)
    } catch {
      guard error.cause?.isClientRefused == true, known != nil, wishes.clientID == nil else {
        throw error
      }
      // The registration died between our asking for it and using it: one more try with a new one.
      Terminal.say("The deployment no longer knows this machine; registering it anew.")
      return try signIn(nil, metadata, http)
    }
  }

  private func wantsBrowser() throws(Failure) -> Bool {
    try Terminal.ask("Sign in through the [B]rowser (recommended), or with a session [T]oken? ")
      != "t"
  }

  private func signIn(
    _ known: StoredClient?, _ metadata: AuthorizationServerMetadata, _ http: any HTTPClient
  ) throws(Failure) -> StoredSession {
    let receiver = try receiver(known)
    let redirectURI =
      switch wishes.redirect {
      case .loopback: receiver.redirectURI
      case .scheme: "coder-cred://oauth/callback"
      }
    let client = try Registrar(
      engine: engine, deployment: deployment, metadata: metadata, http: http
    ).client(known, redirectURI: redirectURI, clientID: wishes.clientID)
    do throws(Failure) {
      let grant = try authorize(client, metadata, receiver, redirectURI)
      return try keep(client, grant, http)
    } catch {
      guard error.cause == .superseded, let session = elsewhere() else { throw error }
      return session
    }
  }

  /// Listens on the port that is configured, else on the one registered last: older deployments
  /// compare it.
  private func receiver(_ known: StoredClient?) throws(Failure) -> LoopbackReceiver {
    let configured = try engine.configuration().number(
      "redirect-port", for: deployment, in: 1024...65_535)
    if let port = wishes.port ?? configured.map({ UInt16($0) }) {
      return try engine.asking(deployment) { () throws(OAuthError) in
        try LoopbackReceiver(port: port)
      }
    }
    let remembered = known?.registration.redirectURIs.first.flatMap(Self.port(of:))
    if let remembered, let receiver = try? LoopbackReceiver(port: remembered) { return receiver }
    return try engine.asking(deployment) { () throws(OAuthError) in try LoopbackReceiver() }
  }

  private static func port(of redirectURI: String) -> UInt16? {
    (try? Deployment(url: redirectURI))?.port.map { UInt16($0) }
  }

  private func authorize(
    _ client: StoredClient, _ metadata: AuthorizationServerMetadata, _ receiver: LoopbackReceiver,
    _ redirectURI: String
  ) throws(Failure) -> Grant {
    let configuration = try engine.configuration()
    let resource = configuration.text("resource", for: deployment)
    let verifier = CodeVerifier()
    let state = State()
    let request = AuthorizationRequest(
      endpoint: metadata.authorizationEndpoint, clientID: client.registration.clientID,
      redirectURI: redirectURI, state: state, challenge: verifier.challenge,
      scope: wishes.scope ?? configuration.text("scopes", for: deployment), resource: resource)
    let url = try engine.asking(deployment) { () throws(OAuthError) in try request.url() }
    var channels: [any AnswerChannel] = [
      PastedAnswer(from: 0), ElsewhereWatch { elsewhere() != nil },
    ]
    // Without a socket two ways remain.
    if let delivered = try? DeliveredAnswer(for: state) { channels.append(delivered) }
    Invitation(
      environment: engine.environment, url: url, redirectURI: redirectURI, port: receiver.port
    ).extend(opensBrowser: wishes.opensBrowser)
    let response = try engine.asking(deployment) { () throws(OAuthError) in
      try receiver.waitForResponse(
        AuthorizationResponse.Expectation(state: state, metadata: metadata), orFrom: channels,
        seconds: SignIn.patience)
    }
    return Grant(
      code: response.code, verifier: verifier, redirectURI: redirectURI, resource: resource)
  }

  private func keep(
    _ client: StoredClient, _ grant: Grant, _ http: any HTTPClient
  ) throws(Failure) -> StoredSession {
    // From here on a signal would leave behind a grant that nobody knows of.
    let signals = HeldSignals()
    defer { signals.release() }
    let tokens = try engine.asking(deployment) { () throws(OAuthError) in
      try TokenEndpoint(
        url: client.tokenEndpoint, authentication: client.registration.authentication
      ).exchange(
        code: grant.code, redirectURI: grant.redirectURI, verifier: grant.verifier,
        resource: grant.resource, client: http, now: engine.now())
    }
    let account = DeploymentAPI(deployment: deployment, client: http).userName(tokens.accessToken)
    if let wanted = wishes.account, let account, wanted != account {
      takeBack(tokens, client, http)
      throw Failure(
        .askForAccess, "the browser is signed in as \(account), not \(wanted)",
        hint: "sign out of \(deployment.url) in the browser, and try again")
    }
    var session = StoredSession(
      deployment: deployment, account: account ?? wishes.account ?? "", method: .oauth,
      accessToken: tokens.accessToken)
    session.clientID = client.registration.clientID
    session.resource = grant.resource
    session.signedInAt = engine.now()
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

  private func takeBack(
    _ tokens: TokenResponse, _ client: StoredClient, _ http: any HTTPClient
  ) {
    guard let endpoint = client.revocationEndpoint else { return }
    try? Revocation(endpoint: endpoint, authentication: client.registration.authentication)
      .revoke(
        tokens.refreshToken ?? tokens.accessToken,
        hint: tokens.refreshToken == nil ? .accessToken : .refreshToken, client: http,
        now: engine.now())
  }
}

extension Engine {
  /// Takes an OAuth step, and translates its failure.
  func asking<Value>(
    _ deployment: Deployment, _ body: () throws(OAuthError) -> Value
  ) throws(Failure) -> Value {
    do throws(OAuthError) {
      return try body()
    } catch {
      throw Failure(error, at: deployment)
    }
  }
}
