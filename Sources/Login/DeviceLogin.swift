import Basics
import Credentials
import Glibc
import OAuth
import Sessions

/// Signing in with a code that the person enters in a browser on any device (RFC 8628).
///
/// Nothing comes back to this machine: the deployment is asked again and again whether the person has
/// decided. The sessions that this ends are marked when the tokens are there, not before: a mark for
/// as long as a person thinks would keep every tool from their tokens.
struct DeviceLogin {
  let exchange: CodeExchange
  /// The deployment's device authorization endpoint, unchecked.
  let endpoint: String
  /// What ends the wait besides the person's decision.
  let sources: [any LoginEventSource]

  private var flow: LoginFlow { exchange.flow }
  private var services: SessionServices { flow.services }

  /// Shows the code, waits for the decision, and keeps the session.
  func run() throws(LoginError) -> StoredSession {
    let authorization = try flow.asking { () throws(OAuthError) in
      try DeviceAuthorization(
        from: exchange.policy.endpoint(endpoint, named: "device_authorization_endpoint"),
        authentication: exchange.setup.registration.authentication, scope: flow.options.scope,
        resource: flow.options.resource, policy: exchange.policy, client: exchange.http,
        now: services.clock.now)
    }
    let terminal = try flow.prompt.show(
      DevicePage(
        url: authorization.verificationURI, completeURL: authorization.verificationURIComplete,
        userCode: authorization.userCode, timeoutSeconds: authorization.lifetimeSeconds))
    return try wait(authorization, LoginEvents(sources: sources + terminal), terminal)
  }

  private func wait(
    _ authorization: DeviceAuthorization, _ events: LoginEvents, _ terminal: [any LoginEventSource]
  ) throws(LoginError) -> StoredSession {
    let deadline =
      services.clock.uptimeMilliseconds + Int64(authorization.lifetimeSeconds) * 1000
    var intervalSeconds = authorization.intervalSeconds
    var isShown = true
    defer { if isShown { flow.prompt.stopWaiting(terminal) } }
    while services.clock.uptimeMilliseconds < deadline {
      try flow.asking { () throws(OAuthError) in
        try events.wait(milliseconds: intervalSeconds * 1000)
      }
      // A signal between the tokens and their saving would leave behind a grant that nobody knows of.
      let signals = HeldSignals()
      defer { signals.release() }
      switch try outcome(authorization, &intervalSeconds) {
      case .pending: break
      // RFC 8628 §3.5: "the interval MUST be increased by 5 seconds for this and all subsequent
      // requests."
      case .slowDown: intervalSeconds += 5
      case .issued(let tokens):
        flow.prompt.stopWaiting(terminal)
        isShown = false
        return try keep(tokens)
      }
    }
    throw .oauth(.timedOut)
  }

  /// Asks for the tokens once. Trouble on the way is no decision, and lengthens the interval.
  private func outcome(
    _ authorization: DeviceAuthorization, _ intervalSeconds: inout Int
  ) throws(LoginError) -> DeviceTokenOutcome {
    do throws(OAuthError) {
      return try exchange.setup.registration.tokenEndpoint(exchange.policy).tokens(
        of: authorization, scope: flow.options.scope, client: exchange.http,
        now: services.clock.now)
    } catch {
      guard error.isTransient else { throw .oauth(error) }
      // RFC 8628 §3.5: "On encountering a connection timeout, clients MUST unilaterally reduce their
      // polling frequency before retrying."
      services.trace("asked again later: \(error)")
      intervalSeconds = max(min(intervalSeconds * 2, 60), Int(min(error.retryAfter ?? 0, 300)))
      return .pending
    }
  }

  private func keep(_ tokens: TokenResponse) throws(LoginError) -> StoredSession {
    do throws(LoginError) {
      return try exchange.run(.issued(tokens))
    } catch {
      // What the keyring did not take nobody can use.
      if case .session = error { exchange.revoke(tokens) }
      throw error
    }
  }
}

/// Several sources, watched together for a while.
struct LoginEvents {
  let sources: [any LoginEventSource]
  /// No response is expected from any of them.
  private let expected = AuthorizationResponse.Expectation(state: State())

  init(sources: [any LoginEventSource]) { self.sources = sources }

  /// Waits until the time is over.
  ///
  /// - Throws: what one of them says: `superseded`, `interrupted`.
  func wait(milliseconds: Int) throws(OAuthError) {
    let deadline = MonotonicClock.milliseconds + milliseconds
    while true {
      let left = deadline - MonotonicClock.milliseconds
      guard left > 0 else { return }
      var polled = sources.map {
        pollfd(fd: $0.descriptor ?? -1, events: Int16(POLLIN), revents: 0)
      }
      guard poll(&polled, nfds_t(polled.count), Int32(clamping: left)) > 0 else { continue }
      for (source, slot) in zip(sources, polled) where slot.revents != 0 {
        if let result = source.advance(expected) { _ = try result.get() }
      }
    }
  }
}
