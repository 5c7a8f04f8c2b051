import Credentials
import Glibc
import HTTP
import OAuth
import Secrets

/// From an authorization code to a session in the keyring.
struct CodeExchange {
  let signIn: OAuthLogin
  let client: StoredRegistration
  /// The client before this sign-in.
  let former: StoredRegistration?
  let verifier: CodeVerifier
  let redirectURI: String
  let scope: String?
  let resource: String?

  private var context: CommandContext { signIn.context }
  private var deployment: Deployment { signIn.deployment }
  private var options: LoginOptions { signIn.options }

  /// Exchanges the code and keeps what comes of it.
  func run(_ code: Secret) throws(Failure) -> StoredSession {
    // The keyring may have locked itself while the person was away.
    try context.keyring { store throws(StoreError) in try store.unlock(within: 120) }
    // From here on a signal would leave behind a grant that nobody knows of.
    let signals = HeldSignals()
    defer { signals.release() }
    let tokens = try context.asking(deployment) { () throws(OAuthError) in
      try client.tokenEndpoint(signIn.policy).exchange(
        code: code, redirectURI: redirectURI, verifier: verifier, scope: scope,
        resource: resource, client: signIn.http, now: context.now())
    }
    for oddity in tokens.oddities { Terminal.say("coder-cred: warning: \(oddity)") }
    do throws(Failure) {
      return try keep(tokens)
    } catch {
      // A refusal below has said what becomes of the tokens; whatever else fails, they are of no
      // use to anyone.
      if error.remedy != .askForAccess { revoke(tokens) }
      throw error
    }
  }

  private func keep(_ tokens: TokenResponse) throws(Failure) -> StoredSession {
    let account = account(of: tokens.accessToken)
    var session = StoredSession(
      deployment: deployment, account: account ?? options.account ?? "", method: .oauth,
      accessToken: tokens.accessToken)
    session.clientID = client.registration.clientID
    session.resource = resource
    session.signedInAt = context.now()
    session = session.renewed(with: tokens, now: context.now())
    if let wanted = options.account, wanted != session.account {
      try refuse(session, tokens, wanted)
    }
    let outlived = try replace(session)
    for old in outlived where old.refreshToken != tokens.refreshToken { revoke(old) }
    try warnOthers()
    return session
  }

  /// Sessions of others cannot be refreshed with a client that is not theirs.
  private func warnOthers() throws(Failure) {
    let sessions = try context.keyring { store throws(StoreError) in
      try store.sessions(of: deployment, account: nil)
    }
    for other in sessions
    where other.method == .oauth && other.clientID != client.registration.clientID {
      Terminal.say("\(other.account) used the former client, and will have to sign in again.")
    }
  }

  /// Whom the token speaks for; nil when the deployment will not say, as it may refuse to for a
  /// narrow scope.
  private func account(of token: Secret) -> String? {
    guard let api = try? DeploymentAPI(deployment, context, client: signIn.http) else {
      return nil
    }
    for attempt in 1...3 {
      switch api.check(of: token) {
      case .works(let name): return name
      case .rejected, .unclear: return nil
      // A session without a name would stand beside the one with it.
      case .unanswered: if attempt < 3 { usleep(300_000) }
      }
    }
    return nil
  }

  /// Somebody else is signed in to the deployment in this browser.
  private func refuse(
    _ session: StoredSession, _ tokens: TokenResponse, _ wanted: String
  ) throws(Failure) {
    let known = try context.keyring { store throws(StoreError) in
      try store.session(like: session)
    }
    if let known, known.method == .oauth, known.clientID == session.clientID {
      // A deployment keeps one grant for a user and a client: the exchange has ended the one that
      // their session lived on, which goes on with this one.
      _ = try replace(session)
    } else {
      revoke(tokens)
    }
    throw Failure(
      .askForAccess, "the browser is signed in as \(session.account), not \(wanted)",
      hint: "sign out of \(deployment.url) in the browser, and try again")
  }

  /// Puts the session in the place of the one before.
  ///
  /// - Returns: sessions that have made room, and whose grants may still be alive.
  private func replace(_ session: StoredSession) throws(Failure) -> [StoredSession] {
    // A refresh of the former session may be under way; what it saves must not come last.
    let lock = try RefreshLock(
      of: deployment, account: session.account, environment: context.environment)
    return try lock.hold { () throws(Failure) in
      try context.keyring { store throws(StoreError) in
        let before = try store.sessions(of: deployment, account: session.account)
          .filter { $0.method == .oauth }
        if try store.client(of: deployment) != client { try store.save(client) }
        try store.save(session)
        // The one without a name now has it: two would be a question at every request.
        if !session.account.isEmpty, before.contains(where: \.account.isEmpty) {
          try store.removeSessions(of: deployment, account: "")
        }
        return before
      }
    }
  }

  private func revoke(_ tokens: TokenResponse) {
    try? client.revocation(signIn.policy)?.revoke(
      tokens.refreshToken ?? tokens.accessToken,
      hint: tokens.refreshToken == nil ? .accessToken : .refreshToken, client: signIn.http,
      now: context.now())
  }

  private func revoke(_ session: StoredSession) {
    let issuers = [client, former].compactMap(\.self)
    guard let token = session.refreshToken,
      let issuer = issuers.first(where: { $0.registration.clientID == session.clientID })
    else { return }
    try? issuer.revocation(signIn.policy)?.revoke(
      token, hint: .refreshToken, client: signIn.http, now: context.now())
  }
}
