package import Credentials
import HTTP
import OAuth
package import Sessions

/// Signing in to a deployment, from its metadata to a session in the keyring.
///
/// Knows no terminal, no arguments, no settings file and no environment: what it needs comes in as
/// values, and the person is asked through ``LoginPrompt``.
package struct LoginFlow {
  let services: SessionServices
  let prompt: any LoginPrompt
  let deployment: Deployment
  let options: LoginOptions
  /// Where processes agree that one of them signs in.
  let directory: RuntimeDirectory
  /// What the deployment's people read when they are asked to allow us.
  let clientName: String

  /// Prepares a sign-in.
  package init(
    services: SessionServices, prompt: any LoginPrompt, deployment: Deployment,
    options: LoginOptions, directory: RuntimeDirectory, clientName: String
  ) {
    self.services = services
    self.prompt = prompt
    self.deployment = deployment
    self.options = options
    self.directory = directory
    self.clientName = clientName
  }

  /// Signs in and keeps the session.
  ///
  /// - Returns: the session, which another sign-in may have brought meanwhile.
  /// - Throws: ``LoginError``.
  package func run() throws(LoginError) -> StoredSession {
    // A locked keyring, or an item that must not be replaced, shows before anyone is sent away.
    let before = try storing { store throws(StoreError) in
      try store.unlock()
      _ = try store.registration(of: deployment)
      return try store.sessions(of: deployment, account: nil)
    }
    if options.method == .token {
      tellWhoIsSignedIn(before)
      return try tokenLogin()
    }
    let concurrentSession: () -> StoredSession? = {
      let sessions = try? services.store.sessions(of: deployment, account: options.account)
      return sessions?.first { session in
        session.signedInAt != nil
          && !before.contains {
            $0.account == session.account && $0.signedInAt == session.signedInAt
          }
      }
    }
    let lock = try LoginLock.take(
      deployment, in: directory, timeoutSeconds: options.browserTimeoutSeconds + 30,
      LoginLock.Waiting(
        began: { prompt.tell(.waitingForAnotherLogin(deployment, $0)) },
        choice: { prompt.saysWhileWaiting() },
        takesOver: { prompt.tell(.takingOver) },
        isSettled: { concurrentSession() != nil }))
    guard let lock else {
      guard let session = concurrentSession() else { throw .otherLoginFailed }
      return session
    }
    var hasFailed = true
    defer { lock.release(hasFailed: hasFailed) }
    let session: StoredSession
    if let concurrent = concurrentSession() {
      session = concurrent
    } else {
      // Another sign-in, or a sign-out, may have changed it until now.
      let known = try storing { store throws(StoreError) in try store.registration(of: deployment) }
      tellWhoIsSignedIn(before)
      session = try choose(known, concurrentSession)
    }
    hasFailed = false
    return session
  }

  /// Tells whose sessions are there already, so that nobody signs in again unawares.
  private func tellWhoIsSignedIn(_ sessions: [StoredSession]) {
    let accounts = accounts(of: sessions)
    guard !accounts.isEmpty else { return }
    prompt.tell(.alreadySignedIn(accounts, at: deployment))
  }

  /// Who is signed in, as far as sessions that still live tell.
  private func accounts(of sessions: [StoredSession]) -> [String] {
    let now = services.clock.now
    return sessions.filter { $0.method != .basic && !$0.account.isEmpty && !$0.hasEnded(now: now) }
      .map(\.account).sorted()
  }

  /// Finds out what the deployment offers, and takes the way that the person prefers.
  private func choose(
    _ known: StoredRegistration?, _ concurrentSession: @escaping () -> StoredSession?
  ) throws(LoginError) -> StoredSession {
    let http = services.client(deployment, .canTakeItsTime)
    prompt.tell(.started(deployment))
    let policy = try policy()
    let metadata: AuthorizationServerMetadata
    do throws(OAuthError) {
      metadata = try .discover(policy, client: http, now: services.clock.now)
    } catch {
      switch error {
      // OAuth is there only if its metadata is complete and usable.
      case .notOffered where options.method == .auto, .unsupported where options.method == .auto,
        .malformed where options.method == .auto:
        return try tokenLogin(because: .oauth(error))
      case .notOffered:
        try DeploymentCheck(flow: self).run()
        throw .oauth(error)
      default: throw .oauth(error)
      }
    }
    let method = try method(metadata, known)
    if method == .token { return try tokenLogin() }
    if method == .device, metadata.deviceAuthorizationEndpoint == nil {
      throw .oauth(.unsupported("the deployment offers no sign-in with a code (RFC 8628)"))
    }
    do throws(LoginError) {
      return try OAuthLogin(
        flow: self, metadata: metadata, policy: policy, http: http,
        concurrentSession: concurrentSession
      ).run(known, by: method)
    } catch {
      switch error {
      case .oauth(.notOffered) where options.method == .auto,
        .oauth(.registrationDisabled) where options.method == .auto && prompt.canAsk:
        return try tokenLogin(because: error)
      case .oauth(.superseded), .endedMeanwhile:
        guard let session = concurrentSession() else { throw error }
        return session
      case .oauth(.interrupted): throw .givenUp
      case .oauth(.denied(let reason)):
        let sessions = try? services.store.sessions(of: deployment, account: nil)
        throw .declined(reason: reason, signedIn: accounts(of: sessions ?? []))
      default: throw error
      }
    }
  }

  /// The way that is taken at a deployment with OAuth.
  private func method(
    _ metadata: AuthorizationServerMetadata, _ known: StoredRegistration?
  ) throws(LoginError) -> LoginOptions.Method {
    guard options.method == .auto else { return options.method }
    // A code is for who has no browser here, unless it is said where that is to come back to.
    let offersDevice =
      metadata.deviceAuthorizationEndpoint != nil && options.port == nil
      && options.redirect == .loopback
    let best: LoginOptions.Method = offersDevice && !prompt.hasBrowser ? .device : .oauth
    // A deployment that takes no new clients leaves nothing to choose, unless there is one already;
    // and who names a client has chosen.
    let hasClient =
      metadata.registrationEndpoint != nil || known != nil || options.configuredClientID != nil
    guard prompt.canAsk, hasClient, options.clientID == nil else { return best }
    let others: [LoginOptions.Method] =
      offersDevice ? [.oauth, .device, .token] : [.oauth, .token]
    return try prompt.chooseMethod([best] + others.filter { $0 != best })
  }

  /// How many tokens a person may try.
  private static let tokenLimit = 3

  private func tokenLogin(because reason: LoginError? = nil) throws(LoginError) -> StoredSession {
    do throws(LoginError) {
      // No secret is asked for before the address is known to be a deployment's.
      try DeploymentCheck(flow: self).run()
    } catch {
      // Metadata that cannot be used is the better explanation.
      if case .notDeployment = error, let reason, !reason.isAbsenceOfOAuth { throw reason }
      throw error
    }
    if let reason { prompt.tell(.tokenInstead(reason, at: deployment)) }
    var attempt = 1
    while true {
      do throws(LoginError) {
        let token = try prompt.askForToken(of: deployment, isRepeated: attempt > 1)
        guard let token else { throw reason ?? .noToken }
        return try TokenLogin(flow: self).run(token)
      } catch {
        guard prompt.canAsk, attempt < Self.tokenLimit, error.isAboutToken else { throw error }
        attempt += 1
        prompt.tell(.tokenRefused(error, at: deployment))
      }
    }
  }
}

extension LoginError {
  /// Whether another token may do better.
  fileprivate var isAboutToken: Bool {
    switch self {
    case .malformedToken, .tokenRejected: true
    default: false
    }
  }

  fileprivate var isAbsenceOfOAuth: Bool {
    if case .oauth(.notOffered) = self { true } else { false }
  }
}

/// The seams, with their errors as those of a sign-in.
extension LoginFlow {
  /// Asks the keyring.
  func storing<Value>(
    _ body: (any SessionStore) throws(StoreError) -> Value
  ) throws(LoginError) -> Value {
    do throws(StoreError) { return try body(services.store) } catch {
      throw .session(.store(error))
    }
  }

  /// Changes the keyring while no refresh of this account's session can, and nobody deletes the
  /// registration; but in any case, for what a sign-in brought must be kept.
  ///
  /// - Parameters:
  ///   - account: whose session.
  ///   - timeoutMilliseconds: how long to wait for others.
  ///   - body: what is done; it learns whether everybody else was excluded. If not, others may have
  ///     looked before, and write afterwards.
  /// - Returns: what `body` gave.
  /// - Throws: the keyring's error.
  func storing<Value>(
    lockingSessionOf account: String, timeoutMilliseconds: Int,
    _ body: (_ store: any SessionStore, _ isExclusive: Bool) throws(StoreError) -> Value
  ) throws(LoginError) -> Value {
    let identity = SessionIdentity(deployment: deployment, account: account)
    do throws(SessionError) {
      return try services.lock.withLock(
        of: identity, timeoutMilliseconds: timeoutMilliseconds,
        orUse: { () throws(SessionError) in nil }
      ) { held throws(SessionError) in
        try services.lock.withRegistrationLock(
          at: deployment, timeoutMilliseconds: timeoutMilliseconds
        ) { _ throws(SessionError) in
          do throws(StoreError) { return try body(services.store, held.coversKeyring) } catch {
            throw .store(error)
          }
        }
      }
    } catch .busy {
      return try storing { store throws(StoreError) in try body(store, false) }
    } catch {
      throw .session(error)
    }
  }

  /// Where secrets may go.
  func policy() throws(LoginError) -> EndpointPolicy {
    try asking { () throws(OAuthError) in try services.policy(deployment) }
  }

  /// Takes a step of OAuth.
  func asking<Value>(_ body: () throws(OAuthError) -> Value) throws(LoginError) -> Value {
    do throws(OAuthError) { return try body() } catch { throw .oauth(error) }
  }
}
