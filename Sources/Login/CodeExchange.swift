import Credentials
import HTTP
import OAuth
import Secrets
import Sessions

/// From an authorization code to a session in the keyring.
struct CodeExchange {
  /// How long a code is sent again, in milliseconds.
  private static let repeatingTimeoutMilliseconds: Int64 = 60_000

  let flow: LoginFlow
  /// Where secrets may go.
  let policy: EndpointPolicy
  let http: any HTTPClient
  let setup: RegistrationSetup.Outcome
  /// The registration before this sign-in.
  let former: StoredRegistration?
  let verifier: CodeVerifier
  let redirectURI: String
  /// Notes the signals that come while the person is asked.
  let interruption: Interruption

  private var services: SessionServices { flow.services }
  private var registration: StoredRegistration { setup.registration }

  /// Exchanges the code and keeps what comes of it.
  func run(_ code: Secret) throws(LoginError) -> StoredSession {
    // The keyring may have locked itself while the person was away.
    try flow.storing { store throws(StoreError) in try store.unlock(timeoutSeconds: 120) }
    let (tokens, account) = try holdingSignals { () throws(LoginError) in
      let tokens = try flow.asking { () throws(OAuthError) in try exchange(code) }
      for oddity in tokens.oddities { services.warn(.oddResponse(flow.deployment, oddity)) }
      return (tokens, self.account(of: tokens.accessToken))
    }
    do throws(LoginError) {
      try confirm(account, tokens)
      return try holdingSignals { () throws(LoginError) in try keep(tokens, account) }
    } catch {
      // Who refused another user's sign-in has said what becomes of the tokens. Whatever else
      // fails, nobody can use them.
      if case .wrongAccount = error { throw error }
      revoke(tokens)
      throw error
    }
  }

  /// Does what a signal must not break off, because it would leave behind a grant that nobody knows
  /// of. Signals that come between two such steps are noted by ``Interruption``.
  private func holdingSignals<Value>(
    _ body: () throws(LoginError) -> Value
  ) throws(LoginError) -> Value {
    let signals = HeldSignals()
    defer { signals.release() }
    return try body()
  }

  /// Makes sure that the person means to sign in with this account, when others are signed in and
  /// none was asked for: a browser may hold a session of somebody else.
  private func confirm(_ account: String?, _ tokens: TokenResponse) throws(LoginError) {
    guard let account, flow.options.account == nil else { return }
    let sessions = try flow.storing { store throws(StoreError) in
      try store.sessions(of: flow.deployment, account: nil)
    }
    let former = sessions.filter { $0.method != .basic && !$0.account.isEmpty }.map(\.account)
    guard !former.isEmpty, !former.contains(account) else { return }
    guard flow.prompt.canAsk else {
      return flow.prompt.tell(.otherAccount(account, beside: former))
    }
    let isKept = try flow.prompt.keeps(
      account: account, beside: former, interruption: interruption.descriptor)
    guard isKept else {
      revoke(tokens)
      throw .wrongAccount(
        found: account, wanted: former.joined(separator: ", "), isOfBrowser: true)
    }
  }

  /// Sends the code, and again while the deployment is only busy: the person's consent is worth a
  /// minute of waiting, and a code lives for ten as a rule.
  private func exchange(_ code: Secret) throws(OAuthError) -> TokenResponse {
    let deadline = services.clock.uptimeMilliseconds + Self.repeatingTimeoutMilliseconds
    var pauseMilliseconds: Int64 = 1_000
    while true {
      do throws(OAuthError) {
        return try registration.tokenEndpoint(policy).exchange(
          code: code, redirectURI: redirectURI, verifier: verifier, scope: flow.options.scope,
          resource: flow.options.resource, client: http, now: services.clock.now)
      } catch {
        let pause = max(pauseMilliseconds, (error.retryAfter ?? 0) * 1_000)
        guard error.mayRepeatExchange, services.clock.uptimeMilliseconds + pause < deadline else {
          throw error
        }
        services.trace("the code is sent again in \(pause) ms: \(error)")
        services.clock.sleep(milliseconds: Int(pause))
        pauseMilliseconds *= 2
      }
    }
  }

  private func keep(
    _ tokens: TokenResponse, _ account: String?
  ) throws(LoginError) -> StoredSession {
    var session = StoredSession(
      deployment: flow.deployment, account: account ?? flow.options.account ?? "",
      method: .oauth, accessToken: tokens.accessToken)
    session.clientID = registration.clientID
    session.resource = flow.options.resource
    let now = services.clock.now
    session.signedInAt = now
    session = session.refreshed(with: tokens, now: now)
    if let wanted = flow.options.account, wanted != session.account {
      try refuse(session, tokens, wanted)
    }
    let outlived = try replace(session)
    for old in outlived where old.refreshToken != tokens.refreshToken { revoke(old) }
    try warnOthers()
    return session
  }

  /// Sessions of others cannot be refreshed with a registration that is not theirs.
  private func warnOthers() throws(LoginError) {
    let sessions = try flow.storing { store throws(StoreError) in
      try store.sessions(of: flow.deployment, account: nil)
    }
    for other in sessions
    where other.method == .oauth && other.clientID != registration.clientID {
      flow.prompt.tell(.mustSignInAgain(account: other.account))
    }
  }

  /// Whom the token speaks for; nil when the deployment will not say, as it may refuse to for a
  /// narrow scope.
  private func account(of token: Secret) -> String? {
    let api = DeploymentAPI(policy: policy, client: http)
    for attempt in 1...3 {
      switch api.check(token) {
      case .works(let name): return name
      case .rejected, .unclear: return nil
      // A session without a name would stand beside the one with it.
      case .noResponse: if attempt < 3 { services.clock.sleep(milliseconds: 300) }
      }
    }
    return nil
  }

  /// Somebody else is signed in to the deployment in this browser.
  private func refuse(
    _ session: StoredSession, _ tokens: TokenResponse, _ wanted: String
  ) throws(LoginError) {
    let known = try flow.storing { store throws(StoreError) in try store.session(like: session) }
    if let known, known.method == .oauth, known.clientID == session.clientID {
      // A deployment keeps one grant for a user and a client: the exchange has ended the one that
      // their session lived on, which goes on with this one.
      _ = try replace(session)
    } else {
      revoke(tokens)
    }
    throw .wrongAccount(found: session.account, wanted: wanted, isOfBrowser: true)
  }

  /// Puts the session in the place of the one before.
  ///
  /// - Returns: sessions that have made room, and whose grants may still be alive.
  private func replace(_ session: StoredSession) throws(LoginError) -> [StoredSession] {
    // A refresh of the former session may be under way; what it saves must not come last.
    try flow.storing(lockingSessionOf: session.account) { store throws(StoreError) in
      let before = try store.sessions(of: flow.deployment, account: session.account)
        .filter { $0.method == .oauth }
      if !setup.isStored { try store.save(registration) }
      try store.save(session)
      // The one without a name now has it: two would be a question at every request.
      if !session.account.isEmpty, before.contains(where: \.account.isEmpty) {
        try store.removeSessions(of: flow.deployment, account: "")
      }
      return before
    }
  }

  private func revoke(_ tokens: TokenResponse) {
    try? registration.revocation(policy)?.revoke(
      tokens.refreshToken ?? tokens.accessToken,
      hint: tokens.refreshToken == nil ? .accessToken : .refreshToken, client: http,
      now: services.clock.now)
  }

  private func revoke(_ session: StoredSession) {
    let issuers = [registration, former].compactMap(\.self)
    guard let token = session.refreshToken,
      let issuer = issuers.first(where: { $0.clientID == session.clientID })
    else { return }
    try? issuer.revocation(policy)?.revoke(
      token, hint: .refreshToken, client: http, now: services.clock.now)
  }
}
