import Credentials
import HTTP
import OAuth
import Secrets
import Sessions

/// From an authorization code to a session in the keyring.
struct CodeExchange {
  let flow: LoginFlow
  /// Where secrets may go.
  let policy: EndpointPolicy
  let http: any HTTPClient
  let setup: RegistrationSetup.Outcome
  /// The registration before this sign-in.
  let former: StoredRegistration?
  let verifier: CodeVerifier
  let redirectURI: String

  private var services: SessionServices { flow.services }
  private var registration: StoredRegistration { setup.registration }

  /// Exchanges the code and keeps what comes of it.
  func run(_ code: Secret) throws(LoginError) -> StoredSession {
    // The keyring may have locked itself while the person was away.
    try flow.storing { store throws(StoreError) in try store.unlock(timeoutSeconds: 120) }
    // From here on a signal would leave behind a grant that nobody knows of.
    let signals = HeldSignals()
    defer { signals.release() }
    let tokens = try flow.asking { () throws(OAuthError) in
      try registration.tokenEndpoint(policy).exchange(
        code: code, redirectURI: redirectURI, verifier: verifier, scope: flow.options.scope,
        resource: flow.options.resource, client: http, now: services.clock.now)
    }
    for oddity in tokens.oddities { services.warn(.oddResponse(flow.deployment, oddity)) }
    do throws(LoginError) {
      return try keep(tokens)
    } catch {
      // Another user's sign-in has said what becomes of the tokens. Whatever else fails, nobody can
      // use them.
      if case .wrongAccount = error { throw error }
      revoke(tokens)
      throw error
    }
  }

  private func keep(_ tokens: TokenResponse) throws(LoginError) -> StoredSession {
    let account = account(of: tokens.accessToken)
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
