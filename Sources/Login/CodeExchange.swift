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

  private var services: SessionServices { flow.services }
  private var registration: StoredRegistration { setup.registration }
  /// Whose a token is can be done without, if the deployment does not say it soon.
  private var api: DeploymentAPI {
    DeploymentAPI(policy: policy, client: services.client(flow.deployment, .personWaits))
  }

  /// What tokens come from.
  enum Grant {
    /// An authorization code, which is to be exchanged.
    case code(Secret)
    /// They are issued already.
    case issued(TokenResponse)
  }

  /// Exchanges a code and keeps what comes of it.
  func run(_ code: Secret) throws(LoginError) -> StoredSession { try run(.code(code)) }

  /// Has tokens issued, where they are not yet, and keeps what comes of them.
  func run(_ grant: Grant) throws(LoginError) -> StoredSession {
    // The keyring may have locked itself while the person was away.
    try flow.storing { store throws(StoreError) in try store.unlock() }
    // From here on a signal would leave behind a grant that nobody knows of.
    let signals = HeldSignals()
    defer { signals.release() }
    let owner = RefreshMark.leaseOwner(number: services.random())
    let superseded = try flow.persevering { () throws(LoginError) in
      try flow.storing { _ throws(StoreError) in
        try SupersededSessions(
          of: flow.deployment, clientID: registration.clientID, owner: owner, services: services,
          isInterrupted: { signals.isOneWaiting })
      }
    }
    // Before a code is exchanged nothing has happened, and whoever was waited for goes on.
    if case .code = grant, signals.isOneWaiting {
      superseded.release(.none)
      throw .oauth(.interrupted)
    }
    let tokens: TokenResponse
    var mayBeUsed = false
    do throws(OAuthError) {
      switch grant {
      case .code(let code): tokens = try exchange(code, mayBeUsed: &mayBeUsed)
      case .issued(let issued): tokens = issued
      }
    } catch {
      superseded.release(mayBeUsed ? .unknown : .none)
      throw .oauth(error)
    }
    for oddity in tokens.oddities { services.warn(.oddResponse(flow.deployment, oddity)) }
    let session = session(tokens, signals)
    if let wanted = flow.options.account, wanted != session.account {
      try refuse(session, tokens, wanted, superseded, signals)
    }
    try confirm(session, tokens, superseded, signals)
    do throws(LoginError) {
      let outlived = try replacement(by: session, signals).run()
      let suspects = superseded.release(.replaced(by: session), isDead: api.rejects)
      // What was asked for is done: a signal ends the rest.
      signals.release()
      settle(suspects)
      for old in outlived where old.refreshToken != tokens.refreshToken { revoke(old) }
      FormerRegistration(
        flow: flow, policy: policy, http: http, former: former, registration: registration
      ).delete()
      return session
    } catch {
      superseded.release(.unknown)
      // Nobody can use what was not kept; what was ended by others needs no revoking.
      if error != .endedMeanwhile { revoke(tokens) }
      throw error
    }
  }

  /// Finds out which sessions the exchange has ended: those of a user who was renamed, or whose name
  /// nobody told. One that is taken for alive would stand beside the new one at every request.
  private func settle(_ suspects: [StoredSession]) {
    for suspect in suspects {
      do throws(SessionError) {
        _ = try SessionRefresh(services: services).refresh(suspect, because: .command)
      } catch {
        services.trace("the session of \(suspect.account) with \(flow.deployment.url): \(error)")
      }
    }
  }

  /// Sends the code, and again while the deployment is only busy: the person's consent is worth a
  /// minute of waiting, and a code lives for ten as a rule.
  ///
  /// - Parameters:
  ///   - code: the authorization code.
  ///   - mayBeUsed: set when a response was lost, so that the code may have been used.
  /// - Returns: the tokens.
  /// - Throws: what the token endpoint throws.
  private func exchange(
    _ code: Secret, mayBeUsed: inout Bool
  ) throws(OAuthError) -> TokenResponse {
    let deadline = services.clock.uptimeMilliseconds + Self.repeatingTimeoutMilliseconds
    var pauseMilliseconds: Int64 = 1_000
    while true {
      do throws(OAuthError) {
        return try registration.tokenEndpoint(policy).exchange(
          code: code, redirectURI: redirectURI, verifier: verifier, scope: flow.options.scope,
          resource: flow.options.resource, client: http, now: services.clock.now)
      } catch {
        if error.grantState == .unknown { mayBeUsed = true }
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

  /// The session that the tokens make.
  private func session(_ tokens: TokenResponse, _ signals: HeldSignals) -> StoredSession {
    // The time of the exchange: of two sign-ins the later one counts.
    let now = services.clock.now
    let account = account(of: tokens.accessToken, signals)
    var session = StoredSession(
      deployment: flow.deployment, account: account ?? flow.options.account ?? "",
      method: .oauth, accessToken: tokens.accessToken)
    session.clientID = registration.clientID
    session.resource = flow.options.resource
    session.signedInAt = now
    return session.refreshed(with: tokens, now: now)
  }

  /// Whom the token speaks for; nil when the deployment will not say, as it may refuse to for a
  /// narrow scope, or not in time: the person is waiting, and may want to go.
  private func account(of token: Secret, _ signals: HeldSignals) -> String? {
    for attempt in 1...3 {
      switch api.check(token) {
      case .works(let name): return name
      case .rejected, .unclear: return nil
      // A session without a name would stand beside the one with it.
      case .noResponse:
        if signals.isOneWaiting { return nil }
        if attempt < 3 { services.clock.sleep(milliseconds: 300) }
      }
    }
    return nil
  }

  private func replacement(by session: StoredSession, _ signals: HeldSignals) -> SessionReplacement
  {
    SessionReplacement(
      flow: flow, api: api, setup: setup, session: session,
      isInterrupted: { signals.isOneWaiting })
  }

  /// Somebody else is signed in to the deployment in this browser.
  private func refuse(
    _ session: StoredSession, _ tokens: TokenResponse, _ wanted: String,
    _ superseded: SupersededSessions, _ signals: HeldSignals
  ) throws(LoginError) {
    let known = try? flow.storing { store throws(StoreError) in try store.session(like: session) }
    if let known, known.method == .oauth, known.clientID == session.clientID {
      // A deployment keeps one grant for a user and a client: the exchange has ended the one that
      // their session lived on, which goes on with this one.
      _ = try replacement(by: session, signals).run()
    } else {
      revoke(tokens)
    }
    superseded.release(.replaced(by: session))
    throw .wrongAccount(found: session.account, wanted: wanted, isOfBrowser: true)
  }

  /// Makes sure that the person means to sign in with this account, when others are signed in and
  /// none was asked for: a browser may hold the session of somebody else.
  private func confirm(
    _ session: StoredSession, _ tokens: TokenResponse, _ superseded: SupersededSessions,
    _ signals: HeldSignals
  ) throws(LoginError) {
    guard flow.options.account == nil, !session.account.isEmpty else { return }
    // A keyring that does not tell now is no reason to give up what the person has allowed.
    let known = try? services.store.sessions(of: flow.deployment, account: nil)
    let former = (known ?? []).filter { $0.method != .basic && !$0.account.isEmpty }
      .map(\.account).sorted()
    guard !former.isEmpty, !former.contains(session.account) else { return }
    guard flow.prompt.canAsk else {
      return flow.prompt.tell(.otherAccount(session.account, beside: former))
    }
    let isKept = flow.prompt.keeps(
      account: session.account, beside: former, isInterrupted: { signals.isOneWaiting })
    guard !isKept else { return }
    revoke(tokens)
    superseded.release(.replaced(by: session), isDead: api.rejects)
    throw .wrongAccount(
      found: session.account, wanted: former.joined(separator: ", "), isOfBrowser: true)
  }

  /// Revokes tokens that are not kept.
  func revoke(_ tokens: TokenResponse) {
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
