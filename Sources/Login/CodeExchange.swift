import Credentials
import HTTP
import OAuth
import Secrets
import Sessions

/// From an authorization code to a session in the keyring.
struct CodeExchange {
  /// How long a code is sent again, in milliseconds.
  private static let repeatingTimeoutMilliseconds: Int64 = 60_000
  /// How long to go on trying to save the session, in milliseconds.
  private static let savingTimeoutMilliseconds: Int64 = 30_000
  /// How long to wait for a refresh of the former session, in milliseconds.
  private static let lockTimeoutMilliseconds = 10_000

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
    let superseded = try persevering { () throws(LoginError) in
      try flow.storing { _ throws(StoreError) in
        try SupersededSessions(
          of: flow.deployment, clientID: registration.clientID, services: services)
      }
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
      try refuse(session, tokens, wanted, superseded)
    }
    try confirm(session, tokens, superseded, signals)
    do throws(LoginError) {
      let outlived = try save(session)
      superseded.release(.replaced(by: session), isDead: isRejected)
      // What was asked for is done: a signal ends the rest.
      signals.release()
      for old in outlived where old.refreshToken != tokens.refreshToken { revoke(old) }
      deleteFormerRegistration(after: session)
      return session
    } catch {
      // Nobody can use what was not kept.
      superseded.release(.unknown)
      revoke(tokens)
      throw error
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
    let account = account(of: tokens.accessToken, signals)
    var session = StoredSession(
      deployment: flow.deployment, account: account ?? flow.options.account ?? "",
      method: .oauth, accessToken: tokens.accessToken)
    session.clientID = registration.clientID
    session.resource = flow.options.resource
    let now = services.clock.now
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

  /// Whether the deployment rejects a session's access token.
  private func isRejected(_ session: StoredSession) -> Bool {
    return switch api.check(session.accessToken) {
    case .rejected: true
    case .works, .unclear, .noResponse: false
    }
  }

  /// Somebody else is signed in to the deployment in this browser.
  private func refuse(
    _ session: StoredSession, _ tokens: TokenResponse, _ wanted: String,
    _ superseded: SupersededSessions
  ) throws(LoginError) {
    let known = try? flow.storing { store throws(StoreError) in try store.session(like: session) }
    if let known, known.method == .oauth, known.clientID == session.clientID {
      // A deployment keeps one grant for a user and a client: the exchange has ended the one that
      // their session lived on, which goes on with this one.
      _ = try save(session)
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
    superseded.release(.replaced(by: session), isDead: isRejected)
    throw .wrongAccount(
      found: session.account, wanted: former.joined(separator: ", "), isOfBrowser: true)
  }

  /// Puts the session in the place of the one before, whatever the keyring goes through meanwhile:
  /// the exchange has ended what was there.
  ///
  /// - Returns: sessions that have made room, and whose grants may still be alive.
  /// - Throws: ``LoginError/endedMeanwhile`` when somebody has ended the session already.
  private func save(_ session: StoredSession) throws(LoginError) -> [StoredSession] {
    var first: [StoredSession]?
    return try persevering { () throws(LoginError) in
      guard let before = try replace(session, first: &first) else { throw .endedMeanwhile }
      return before
    }
  }

  /// Does something that needs the keyring, and again while the keyring fails.
  private func persevering<Value>(
    _ body: () throws(LoginError) -> Value
  ) throws(LoginError) -> Value {
    let deadline = services.clock.uptimeMilliseconds + Self.savingTimeoutMilliseconds
    while true {
      do throws(LoginError) {
        return try body()
      } catch {
        guard case .session(.store(let failure)) = error,
          services.clock.uptimeMilliseconds < deadline
        else { throw error }
        if failure.isLocked {
          try flow.storing { store throws(StoreError) in try store.unlock() }
        }
        services.clock.sleep(milliseconds: 300)
      }
    }
  }

  /// Saves the session.
  ///
  /// - Parameters:
  ///   - session: what is saved.
  ///   - first: the sessions that were there at the first attempt; set by it.
  /// - Returns: those sessions; nil when ours was ended by whoever came between.
  /// - Throws: the keyring's error.
  private func replace(
    _ session: StoredSession, first: inout [StoredSession]?
  ) throws(LoginError) -> [StoredSession]? {
    let isNamelessOurs = try isNamelessSession(of: session)
    // A refresh of the former session may be under way, and may hang: it saves nothing over this.
    return try flow.storing(
      lockingSessionOf: session.account, timeoutMilliseconds: Self.lockTimeoutMilliseconds
    ) { store throws(StoreError) in
      let before = try store.sessions(of: flow.deployment, account: session.account)
        .filter { $0.method == .oauth && (isNamelessOurs || !$0.account.isEmpty) }
      // Who signs out meanwhile deletes the registration, and all that was issued to it.
      let known = setup.isStored ? try store.registration(of: flow.deployment) : nil
      let isRegistered = known?.clientID == registration.clientID
      // A save that was reported as failed may have happened, and others may have gone on from it.
      let isChanged = first.map { $0 != before && !before.contains(session) } ?? false
      first = first ?? before
      let mayBeEnded =
        isChanged || setup.isStored && !isRegistered
        || before.contains { isNewer($0, than: session) }
      if mayBeEnded, isRejected(session) { return nil }
      if !isRegistered { try store.save(registration) }
      try store.save(session)
      services.history.save(RefreshHistory(), of: session.identity)
      // The one without a name now has it: two would be a question at every request.
      if !session.account.isEmpty, before.contains(where: \.account.isEmpty) {
        try store.removeSessions(of: flow.deployment, account: "")
      }
      return first
    }
  }

  /// Whether another sign-in of the same person came after the one that brought a session, and may
  /// have ended it.
  private func isNewer(_ other: StoredSession, than session: StoredSession) -> Bool {
    guard let others = other.signedInAt, let ours = session.signedInAt else { return false }
    return other.account == session.account && other.accessToken != session.accessToken
      && others >= ours
  }

  /// Whether a session without a name is the same person's: the deployment says so, or has ended it
  /// by this sign-in.
  private func isNamelessSession(of session: StoredSession) throws(LoginError) -> Bool {
    guard !session.account.isEmpty else { return true }
    let nameless = try flow.storing { store throws(StoreError) in
      try store.sessions(of: flow.deployment, account: "")
        .first { $0.account.isEmpty && $0.method == .oauth }
    }
    guard let nameless else { return false }
    return switch api.check(nameless.accessToken) {
    case .works(let name): name == session.account
    case .rejected: nameless.clientID == session.clientID
    case .unclear, .noResponse: false
    }
  }

  /// Tells whose sessions cannot be refreshed any more with another registration than their own, and
  /// deletes that at the server if nobody is left who uses it.
  private func deleteFormerRegistration(after session: StoredSession) {
    for other in othersSessions() { flow.prompt.tell(.mustSignInAgain(account: other.account)) }
    guard let former, former.clientID != registration.clientID, former.isDynamic else { return }
    // Another sign-in of this account with the former registration saves before the look, or finds
    // out that the registration is gone.
    do throws(SessionError) {
      try services.lock.withLock(
        of: session.identity, timeoutMilliseconds: Self.lockTimeoutMilliseconds,
        orUse: { () throws(SessionError) in nil }
      ) { _ throws(SessionError) in
        let isUsed = othersSessions().contains {
          $0.clientID == former.clientID && $0.isAlive(now: services.clock.now)
        }
        if !isUsed { delete(former) }
      }
    } catch {
      services.trace("the former registration stays: \(error)")
    }
  }

  /// The sessions that belong to another registration.
  private func othersSessions() -> [StoredSession] {
    let sessions = try? services.store.sessions(of: flow.deployment, account: nil)
    return (sessions ?? []).filter { $0.method == .oauth && $0.clientID != registration.clientID }
  }

  private func delete(_ former: StoredRegistration) {
    do throws(OAuthError) {
      try former.information.delete(policy: policy, client: http, now: services.clock.now)
    } catch {
      services.trace("the former registration stays: \(error)")
    }
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
