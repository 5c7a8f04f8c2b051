import Credentials
import Glibc
import HTTP
import OAuth

/// Signing in to a deployment, one person at a time.
struct SignIn {
  /// What the person wants of it.
  struct Wishes {
    /// The ways to sign in.
    enum Method: String, CaseIterable {
      case auto
      case oauth
      case token
    }

    /// Where the browser brings its answer.
    enum Redirect: String, CaseIterable {
      case loopback
      case scheme
    }

    var method = Method.auto
    var scope: String?
    var port: UInt16?
    var redirect = Redirect.loopback
    var clientID: String?
    var account: String?
    var acceptsIssuer = false
    var opensBrowser = true
  }

  let engine: Engine
  let deployment: Deployment
  let wishes: Wishes

  /// Signs in and keeps the session.
  ///
  /// - Returns: the session, which another sign-in may have brought meanwhile.
  func run() throws(Failure) -> StoredSession {
    // A locked keyring, or an item that must not be replaced, shows before anyone is sent away.
    let before = try engine.keyring { store throws(StoreError) in
      try store.unlock(within: 120)
      _ = try store.client(of: deployment)
      return try store.sessions(of: deployment, account: nil)
    }
    if wishes.method == .token { return try withToken() }
    let elsewhere: () -> StoredSession? = {
      let sessions = try? engine.store().sessions(of: deployment, account: wishes.account)
      return sessions?.first { session in
        session.signedInAt != nil
          && !before.contains {
            $0.account == session.account && $0.signedInAt == session.signedInAt
          }
      }
    }
    let patience = try engine.signInPatience(deployment)
    let lock = try SignInLock.take(
      deployment, environment: engine.environment, patience: patience + 30
    ) { elsewhere() != nil }
    guard let lock else {
      if let session = elsewhere() { return session }
      throw Failure(.retryLater, "the other sign-in to \(deployment.url) left nothing behind")
    }
    var hasFailed = true
    defer { lock.release(hasFailed: hasFailed) }
    let session: StoredSession
    if let theirs = elsewhere() {
      session = theirs
    } else {
      session = try choose(elsewhere, patience)
    }
    hasFailed = false
    return session
  }

  /// Finds out what the deployment offers, and takes the way that the person prefers.
  private func choose(
    _ elsewhere: @escaping () -> StoredSession?, _ patience: Int
  ) throws(Failure) -> StoredSession {
    let http = try engine.client(for: deployment)
    Terminal.say("Signing in to \(deployment.url) …")
    let metadata: AuthorizationServerMetadata
    do throws(Failure) {
      metadata = try discover(http)
    } catch {
      switch error.cause {
      case .issuerMismatch(_, let issuer): return try under(issuer, or: error)
      // OAuth is there only if its metadata is complete and usable.
      case .notOffered where wishes.method == .auto, .unsupported where wishes.method == .auto,
        .malformed where wishes.method == .auto:
        return try withToken(because: error)
      default: throw error
      }
    }
    let known = try engine.keyring { store throws(StoreError) in
      try store.client(of: deployment)
    }
    let configured = try engine.configuration().text("client-id", for: deployment)
    // A deployment that takes no new clients leaves nothing to choose, unless there is one already.
    let hasClient =
      metadata.registrationEndpoint != nil || known != nil || wishes.clientID != nil
      || configured != nil
    if wishes.method == .auto, Terminal.isInteractive, hasClient, try !wantsBrowser() {
      return try withToken()
    }
    do throws(Failure) {
      return try OAuthSignIn(
        engine: engine, deployment: deployment, wishes: wishes, metadata: metadata, http: http,
        patience: patience, elsewhere: elsewhere
      ).run(known)
    } catch {
      switch error.cause {
      case .notOffered where wishes.method == .auto,
        .registrationDisabled where wishes.method == .auto && Terminal.isInteractive:
        return try withToken(because: error)
      case .superseded:
        guard let session = elsewhere() else { throw error }
        return session
      default: throw error
      }
    }
  }

  private func discover(
    _ http: any HTTPClient
  ) throws(Failure) -> AuthorizationServerMetadata {
    let allowed = try engine.configuration().words("allowed-origins", for: deployment)
    return try engine.asking(deployment) { () throws(OAuthError) in
      try AuthorizationServerMetadata.discover(
        deployment: deployment.url, client: http, allowedOrigins: Set(allowed), now: engine.now())
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
    let signIn = TokenSignIn(engine: engine, deployment: deployment, wishes: wishes)
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
    try engine.requireConfidential(own)
    if wishes.acceptsIssuer {
      Terminal.say("\(deployment.url) says that it is \(own.url); signing in there.")
    } else {
      guard Terminal.isInteractive else { throw failure }
      let question = "\(deployment.url) says that it is \(own.url). Sign in there? [y/N] "
      guard try ["y", "yes"].contains(Terminal.ask(question)) else { throw failure }
    }
    var wishes = wishes
    wishes.acceptsIssuer = false
    return try SignIn(engine: engine, deployment: own, wishes: wishes).run()
  }
}

extension Engine {
  /// How long the person may take in the browser, in seconds: `sign-in-timeout`, or five minutes.
  func signInPatience(_ deployment: Deployment) throws(Failure) -> Int {
    Int(
      try configuration().number("sign-in-timeout", for: deployment, in: 1...3600) ?? 300)
  }
}
