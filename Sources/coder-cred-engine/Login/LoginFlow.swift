import Credentials
import Glibc
import HTTP
import OAuth

/// Signing in to a deployment, one person at a time.
struct LoginFlow {
  let context: CommandContext
  let deployment: Deployment
  let options: LoginOptions

  /// Signs in and keeps the session.
  ///
  /// - Returns: the session, which another sign-in may have brought meanwhile.
  func run() throws(Failure) -> StoredSession {
    // A locked keyring, or an item that must not be replaced, shows before anyone is sent away.
    let before = try context.keyring { store throws(StoreError) in
      try store.unlock(within: 120)
      _ = try store.client(of: deployment)
      return try store.sessions(of: deployment, account: nil)
    }
    if options.method == .token { return try withToken() }
    let concurrentSession: () -> StoredSession? = {
      let sessions = try? context.store().sessions(of: deployment, account: options.account)
      return sessions?.first { session in
        session.signedInAt != nil
          && !before.contains {
            $0.account == session.account && $0.signedInAt == session.signedInAt
          }
      }
    }
    let patience = try context.signInPatience(deployment)
    let lock = try LoginLock.take(
      deployment, environment: context.environment, patience: patience + 30
    ) { concurrentSession() != nil }
    guard let lock else {
      if let session = concurrentSession() { return session }
      throw Failure(.retryLater, "the other sign-in to \(deployment.url) left nothing behind")
    }
    var hasFailed = true
    defer { lock.release(hasFailed: hasFailed) }
    let session: StoredSession
    if let theirs = concurrentSession() {
      session = theirs
    } else {
      session = try choose(concurrentSession, patience)
    }
    hasFailed = false
    return session
  }

  /// Finds out what the deployment offers, and takes the way that the person prefers.
  private func choose(
    _ concurrentSession: @escaping () -> StoredSession?, _ patience: Int
  ) throws(Failure) -> StoredSession {
    let http = try context.client(for: deployment)
    let policy = try context.endpointPolicy(of: deployment)
    Terminal.say("Signing in to \(deployment.url) …")
    let metadata: AuthorizationServerMetadata
    do throws(Failure) {
      metadata = try context.asking(deployment) { () throws(OAuthError) in
        try AuthorizationServerMetadata.discover(policy, client: http, now: context.now())
      }
    } catch {
      switch error.cause {
      case .issuerMismatch(_, let issuer): return try under(issuer, or: error)
      // OAuth is there only if its metadata is complete and usable.
      case .notOffered where options.method == .auto, .unsupported where options.method == .auto,
        .malformed where options.method == .auto:
        return try withToken(because: error)
      default: throw error
      }
    }
    let known = try context.keyring { store throws(StoreError) in
      try store.client(of: deployment)
    }
    let configured = try context.configuration().text("client-id", for: deployment)
    // A deployment that takes no new clients leaves nothing to choose, unless there is one already.
    let hasClient =
      metadata.registrationEndpoint != nil || known != nil || options.clientID != nil
      || configured != nil
    if options.method == .auto, Terminal.isInteractive, hasClient, try !wantsBrowser() {
      return try withToken()
    }
    do throws(Failure) {
      return try OAuthLogin(
        context: context, deployment: deployment, options: options, metadata: metadata,
        policy: policy, http: http, patience: patience, concurrentSession: concurrentSession
      ).run(known)
    } catch {
      switch error.cause {
      case .notOffered where options.method == .auto,
        .registrationDisabled where options.method == .auto && Terminal.isInteractive:
        return try withToken(because: error)
      case .superseded:
        guard let session = concurrentSession() else { throw error }
        return session
      default: throw error
      }
    }
  }

  private func wantsBrowser() throws(Failure) -> Bool {
    try !Terminal.ask("Sign in through the [B]rowser (recommended), or with a session [T]oken? ")
      .hasPrefix("t")
  }

  private func withToken(because failure: Failure? = nil) throws(Failure) -> StoredSession {
    if let failure {
      Terminal.say(failure.message)
      if case .registrationDisabled = failure.cause, let hint = failure.hint { Terminal.say(hint) }
      Terminal.say("A session token will do instead.")
    }
    let signIn = TokenLogin(context: context, deployment: deployment, options: options)
    guard let token = try signIn.readToken() else {
      throw failure
        ?? Failure(
          .fixTheInput, "no token was given", hint: "it is shown at \(deployment.url)/cli-auth")
    }
    return try signIn.run(token)
  }

  /// Signs in under the address that the deployment says is its own: tokens and registrations
  /// belong to that.
  private func under(_ issuer: String, or failure: Failure) throws(Failure) -> StoredSession {
    guard let own = try? Deployment(url: issuer), own != deployment else { throw failure }
    try context.requireConfidential(own)
    if options.acceptsIssuer {
      Terminal.say("\(deployment.url) says that it is \(own.url); signing in there.")
    } else {
      guard Terminal.isInteractive else { throw failure }
      let question = "\(deployment.url) says that it is \(own.url). Sign in there? [y/N] "
      guard try ["y", "yes"].contains(Terminal.ask(question)) else { throw failure }
    }
    var options = options
    options.acceptsIssuer = false
    return try LoginFlow(context: context, deployment: own, options: options).run()
  }
}

extension CommandContext {
  /// How long the person may take in the browser, in seconds: `sign-in-timeout`, or five minutes.
  func signInPatience(_ deployment: Deployment) throws(Failure) -> Int {
    Int(
      try configuration().number("sign-in-timeout", for: deployment, in: 1...3600) ?? 300)
  }
}
