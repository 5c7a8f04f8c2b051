import Credentials
import HTTP
import OAuth
import Secrets
import Sessions

/// Signing in by OAuth, from the deployment's metadata to a session in the keyring.
struct OAuthLogin {
  let flow: LoginFlow
  let metadata: AuthorizationServerMetadata
  /// Where secrets may go.
  let policy: EndpointPolicy
  let http: any HTTPClient
  /// The session that another sign-in brought meanwhile.
  let concurrentSession: () -> StoredSession?

  private var services: SessionServices { flow.services }
  private var options: LoginOptions { flow.options }

  /// Signs in through a browser, or with a code that is entered elsewhere; through a browser, too,
  /// where the code was not asked for by name and this client may not use one.
  func run(
    _ known: StoredRegistration?, by method: LoginOptions.Method
  ) throws(LoginError) -> StoredSession {
    do throws(LoginError) {
      return try run(known, isByDevice: method == .device)
    } catch {
      guard method == .device, options.method == .auto, case .oauth(let refusal) = error,
        refusal.isDeviceGrantRefused
      else { throw error }
      flow.prompt.tell(.browserInstead(refusal))
      return try run(known, isByDevice: false)
    }
  }

  /// Signs in with the registration known, or with a new one when the server turns that away.
  private func run(
    _ known: StoredRegistration?, isByDevice: Bool
  ) throws(LoginError) -> StoredSession {
    do throws(LoginError) {
      return try login(known, isByDevice)
    } catch {
      // Standard input has brought no other secret for a client made by hand.
      guard case .oauth(let refusal) = error, refusal.isClientRefused, let known,
        options.clientID == nil, options.configuredClientID == nil || flow.prompt.canAsk
      else { throw error }
      // The registration died between our asking for it and using it: one more try with a new one.
      flow.prompt.tell(.registeringAgain(flow.deployment))
      let session = try login(nil, isByDevice)
      // What nobody can use any more need not stay in the deployment's list.
      if session.clientID != known.clientID { delete(known) }
      return session
    }
  }

  private func login(
    _ known: StoredRegistration?, _ isByDevice: Bool
  ) throws(LoginError) -> StoredSession {
    let receiver = isByDevice ? nil : try receiver(known)
    let redirectURI =
      switch (receiver, options.redirect) {
      case (let receiver?, .loopback): receiver.redirectURI
      case (_?, .scheme): "coder-cred://oauth/callback"
      // Nothing comes back, but a registration has one, and the browser may use it the next time.
      case (nil, _): known?.information.redirectURIs.first ?? "http://127.0.0.1/callback"
      }
    // From here on there is something to take back.
    let interruption = Interruption()
    defer {
      if interruption.hasCome { flow.prompt.tell(.interrupted(flow.deployment)) }
      interruption.end()
    }
    let setup = try RegistrationSetup(
      flow: flow, metadata: metadata, policy: policy, http: http, usesDeviceGrant: isByDevice
    )
    .run(known, redirectURI: redirectURI)
    let exchange = CodeExchange(
      flow: flow, policy: policy, http: http, setup: setup, former: known, verifier: CodeVerifier(),
      redirectURI: redirectURI)
    do throws(LoginError) {
      if let receiver { return try authorize(exchange, receiver, interruption) }
      return try DeviceLogin(
        exchange: exchange, endpoint: metadata.deviceAuthorizationEndpoint ?? "",
        sources: [interruption, ConcurrentLoginWatcher { concurrentSession() != nil }]
      ).run()
    } catch {
      // A registration without a session would only lengthen the deployment's list.
      if setup.registration.clientID != known?.clientID { delete(setup.registration) }
      throw error
    }
  }

  private func authorize(
    _ exchange: CodeExchange, _ receiver: LoopbackReceiver, _ interruption: Interruption
  ) throws(LoginError) -> StoredSession {
    let state = State()
    let request = AuthorizationRequest(
      endpoint: metadata.authorizationEndpoint, clientID: exchange.setup.registration.clientID,
      redirectURI: exchange.redirectURI, state: state, challenge: exchange.verifier.challenge,
      scope: options.scope, resource: options.resource)
    let page = AuthorizationPage(
      url: try flow.asking { () throws(OAuthError) in try request.url() },
      startPage: { OtherUsers.arePresent ? receiver.startPage(for: $0) : $0 },
      deployment: flow.deployment, redirectURI: exchange.redirectURI, port: receiver.port,
      timeoutSeconds: options.browserTimeoutSeconds)
    var sources: [any LoginEventSource] = [
      interruption, ConcurrentLoginWatcher { concurrentSession() != nil },
    ]
    // Listening before the address is known to anyone, so that no response comes too early. Without
    // a socket two other ways back remain.
    if let socket = try? CallbackSocket(stateDigest: state.digest) { sources.append(socket) }
    let terminal = try flow.prompt.show(page)
    return try wait(
      receiver,
      AuthorizationResponse.Expectation(
        state: state, metadata: metadata, displayName: flow.deployment.name,
        account: options.account),
      sources + terminal, terminal, exchange)
  }

  /// Waits for the response that makes a session; a mistyped code is none.
  private func wait(
    _ receiver: LoopbackReceiver, _ expected: AuthorizationResponse.Expectation,
    _ sources: [any LoginEventSource], _ terminal: [any LoginEventSource],
    _ exchange: CodeExchange
  ) throws(LoginError) -> StoredSession {
    let deadline =
      services.clock.uptimeMilliseconds + Int64(options.browserTimeoutSeconds) * 1000
    while true {
      let leftMilliseconds = max(0, deadline - services.clock.uptimeMilliseconds)
      let response: AuthorizationResponse
      do throws(OAuthError) {
        defer { flow.prompt.stopWaiting(terminal) }
        response = try receiver.waitForResponse(
          expected, orFrom: sources, seconds: Int((leftMilliseconds + 999) / 1000))
      } catch {
        throw .oauth(error)
      }
      do throws(LoginError) {
        return try exchange.run(response.code)
      } catch {
        // A code that came without its state may be anything; the right one is as good as before.
        guard !response.hasState, case .oauth(let refusal) = error, refusal.isGrantRefused else {
          throw error
        }
        flow.prompt.tell(.unknownCode)
      }
    }
  }

  /// Listens on the port that is wanted, else on the one registered last: older deployments compare
  /// it.
  private func receiver(_ known: StoredRegistration?) throws(LoginError) -> LoopbackReceiver {
    if let port = options.port {
      return try flow.asking { () throws(OAuthError) in try LoopbackReceiver(port: port) }
    }
    let remembered = known?.information.redirectURIs.first.flatMap(Self.port(of:))
    if let remembered, let receiver = try? LoopbackReceiver(port: remembered) { return receiver }
    return try flow.asking { () throws(OAuthError) in try LoopbackReceiver() }
  }

  private static func port(of redirectURI: String) -> UInt16? {
    (try? Deployment(url: redirectURI))?.port.map { UInt16($0) }
  }

  private func delete(_ registration: StoredRegistration) {
    try? registration.information.delete(
      policy: policy, client: http, now: services.clock.now)
  }
}
