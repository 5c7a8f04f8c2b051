import Basics
import Credentials
import HTTP
import OAuth
import Secrets

/// Signing in by OAuth, from the deployment's metadata to a session in the keyring.
struct OAuthLogin {
  let context: CommandContext
  let deployment: Deployment
  let options: LoginOptions
  let metadata: AuthorizationServerMetadata
  /// Where secrets may go.
  let policy: EndpointPolicy
  let http: any HTTPClient
  /// How long the person may take in the browser, in seconds.
  let patience: Int
  /// The session that another sign-in brought meanwhile.
  let concurrentSession: () -> StoredSession?

  /// Signs in with the client known, or with a new one when the server turns that away.
  func run(_ known: StoredRegistration?) throws(Failure) -> StoredSession {
    do throws(Failure) {
      return try signIn(known)
    } catch {
      // Standard input has brought no other secret for a client made by hand.
      let configured = try context.configuration().text("client-id", for: deployment)
      guard error.cause?.isClientRefused == true, let known, options.clientID == nil,
        configured == nil || Terminal.isInteractive
      else { throw error }
      // The registration died between our asking for it and using it: one more try with a new one.
      Terminal.say("\(deployment.url) no longer accepts this machine's client; making a new one …")
      let session = try signIn(nil)
      if session.clientID != known.registration.clientID {
        // What nobody can use any more need not stay in the deployment's list.
        try? known.registration.delete(policy: policy, client: http, now: context.now())
      }
      return session
    }
  }

  private func signIn(_ known: StoredRegistration?) throws(Failure) -> StoredSession {
    let receiver = try receiver(known)
    let redirectURI =
      switch options.redirect {
      case .loopback: receiver.redirectURI
      case .scheme: "coder-cred://oauth/callback"
      }
    // From here on there is something to take back.
    let interruption = Interruption()
    defer { interruption.end() }
    let client = try RegistrationSetup(
      context: context, deployment: deployment, metadata: metadata, policy: policy, http: http
    ).client(known, redirectURI: redirectURI, clientID: options.clientID)
    do throws(Failure) {
      return try authorize(client, known, receiver, redirectURI, interruption)
    } catch {
      if client.registration.clientID != known?.registration.clientID {
        // A client without a session would only lengthen the deployment's list.
        try? client.registration.delete(policy: policy, client: http, now: context.now())
      }
      throw error
    }
  }

  private func authorize(
    _ client: StoredRegistration, _ known: StoredRegistration?, _ receiver: LoopbackReceiver,
    _ redirectURI: String, _ interruption: Interruption
  ) throws(Failure) -> StoredSession {
    let configuration = try context.configuration()
    let exchange = CodeExchange(
      signIn: self, client: client, former: known, verifier: CodeVerifier(),
      redirectURI: redirectURI,
      scope: options.scope ?? configuration.text("scopes", for: deployment),
      resource: configuration.text("resource", for: deployment))
    let state = State()
    let request = AuthorizationRequest(
      endpoint: metadata.authorizationEndpoint, clientID: client.registration.clientID,
      redirectURI: redirectURI, state: state, challenge: exchange.verifier.challenge,
      scope: exchange.scope, resource: exchange.resource)
    let url = try context.asking(deployment) { () throws(OAuthError) in try request.url() }
    // Before the address is known to anyone, so that no answer comes too early.
    var channels: [any LoginEventSource] = [
      interruption, PastedAnswer(from: 0), ConcurrentLoginWatcher { concurrentSession() != nil },
    ]
    // Without a socket two ways remain.
    if let delivered = try? DeliveredAnswer(for: state) { channels.append(delivered) }
    let hasOpened = BrowserPrompt(
      environment: context.environment, url: try context.webAddress(url, of: deployment),
      redirectURI: redirectURI, port: receiver.port, patience: patience
    ).show(opensBrowser: options.opensBrowser)
    if hasOpened, let spinner = Spinner("Waiting for your browser", context.environment) {
      channels.append(spinner)
    }
    return try wait(
      receiver,
      AuthorizationResponse.Expectation(
        state: state, metadata: metadata, displayName: deployment.name, account: options.account),
      channels, exchange)
  }

  /// Waits for the answer that makes a session; a mistyped code is none.
  private func wait(
    _ receiver: LoopbackReceiver, _ expected: AuthorizationResponse.Expectation,
    _ channels: [any LoginEventSource], _ exchange: CodeExchange
  ) throws(Failure) -> StoredSession {
    let deadline = MonotonicClock.milliseconds + patience * 1000
    while true {
      let left = max(0, deadline - MonotonicClock.milliseconds)
      let response = try answer(receiver, expected, channels, seconds: (left + 999) / 1000)
      do throws(Failure) {
        return try exchange.run(response.code)
      } catch {
        // Without its state a code may be anything; the right one is as good as before.
        guard !response.hasState, error.cause?.isGrantRefused == true else { throw error }
        Terminal.say("The deployment does not know that code; paste the whole address instead.")
      }
    }
  }

  private func answer(
    _ receiver: LoopbackReceiver, _ expected: AuthorizationResponse.Expectation,
    _ channels: [any LoginEventSource], seconds: Int
  ) throws(Failure) -> AuthorizationResponse {
    defer { for case let spinner as Spinner in channels { spinner.clear() } }
    return try context.asking(deployment) { () throws(OAuthError) in
      try receiver.waitForResponse(expected, orFrom: channels, seconds: seconds)
    }
  }

  /// Listens on the port that is configured, else on the one registered last: older deployments
  /// compare it.
  private func receiver(_ known: StoredRegistration?) throws(Failure) -> LoopbackReceiver {
    let configured = try context.configuration().number(
      "redirect-port", for: deployment, in: 1024...65_535)
    if let port = options.port ?? configured.map({ UInt16($0) }) {
      return try context.asking(deployment) { () throws(OAuthError) in
        try LoopbackReceiver(port: port)
      }
    }
    let remembered = known?.registration.redirectURIs.first.flatMap(Self.port(of:))
    if let remembered, let receiver = try? LoopbackReceiver(port: remembered) { return receiver }
    return try context.asking(deployment) { () throws(OAuthError) in try LoopbackReceiver() }
  }

  private static func port(of redirectURI: String) -> UInt16? {
    (try? Deployment(url: redirectURI))?.port.map { UInt16($0) }
  }
}

extension CommandContext {
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
