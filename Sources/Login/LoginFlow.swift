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
    if options.method == .token { return try tokenLogin() }
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
      onWait: { prompt.tell(.waitingForAnotherLogin(deployment)) },
      isSettled: { concurrentSession() != nil })
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
      session = try choose(known, concurrentSession)
    }
    hasFailed = false
    return session
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
      default: throw .oauth(error)
      }
    }
    // A deployment that takes no new clients leaves nothing to choose, unless there is one already.
    let hasClient =
      metadata.registrationEndpoint != nil || known != nil || options.clientID != nil
      || options.configuredClientID != nil
    if options.method == .auto, prompt.canAsk, hasClient, try prompt.prefersToken() {
      return try tokenLogin()
    }
    do throws(LoginError) {
      return try OAuthLogin(
        flow: self, metadata: metadata, policy: policy, http: http,
        concurrentSession: concurrentSession
      ).run(known)
    } catch {
      switch error {
      case .oauth(.notOffered) where options.method == .auto,
        .oauth(.registrationDisabled) where options.method == .auto && prompt.canAsk:
        return try tokenLogin(because: error)
      case .oauth(.superseded), .endedMeanwhile:
        guard let session = concurrentSession() else { throw error }
        return session
      default: throw error
      }
    }
  }

  private func tokenLogin(because error: LoginError? = nil) throws(LoginError) -> StoredSession {
    if let error { prompt.tell(.tokenInstead(error, at: deployment)) }
    guard let token = try prompt.askForToken(of: deployment) else { throw error ?? .noToken }
    return try TokenLogin(flow: self).run(token)
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
