import Credentials
import Glibc
import OAuth

/// Signing in to a deployment, one person at a time.
struct SignIn {
  /// How long the person may take in the browser, in seconds.
  static let patience = 300

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
      return try store.sessions(of: deployment, account: nil)
    }
    if wishes.method == .token { return try withToken() }
    let start = engine.now()
    let elsewhere: () -> StoredSession? = {
      let sessions = try? engine.store().sessions(of: deployment, account: wishes.account)
      return sessions?.first { session in
        session.signedInAt.map { $0 >= start } ?? false
          && !before.contains { $0.signedInAt == session.signedInAt }
      }
    }
    let lock = try SignInLock.take(deployment, environment: engine.environment) {
      elsewhere() != nil
    }
    guard let lock else {
      if let session = elsewhere() { return session }
      throw Failure(.retryLater, "the other sign-in to \(deployment.url) left nothing behind")
    }
    defer { lock.release() }
    if let session = elsewhere() { return session }
    return try withBrowser(elsewhere)
  }

  private func withBrowser(
    _ elsewhere: @escaping () -> StoredSession?
  ) throws(Failure) -> StoredSession {
    let signIn = OAuthSignIn(
      engine: engine, deployment: deployment, wishes: wishes, elsewhere: elsewhere)
    do throws(Failure) {
      return try signIn.run()
    } catch {
      switch error.cause {
      case .notOffered where wishes.method == .auto,
        .registrationDisabled where wishes.method == .auto && Terminal.isInteractive:
        Terminal.say("\(error.message). A session token will do.")
        return try withToken()
      case .issuerMismatch(_, let issuer):
        return try under(issuer, or: error)
      default:
        throw error
      }
    }
  }

  private func withToken() throws(Failure) -> StoredSession {
    try TokenSignIn(engine: engine, deployment: deployment, wishes: wishes).run()
  }

  /// Signs in under the address that the deployment says is its own: tokens and registrations
  /// belong to that.
  private func under(_ issuer: String, or failure: Failure) throws(Failure) -> StoredSession {
    guard let own = try? Deployment(url: issuer), own != deployment else { throw failure }
    try engine.requireConfidential(own)
    if !wishes.acceptsIssuer {
      guard Terminal.isInteractive else { throw failure }
      let question = "\(deployment.url) says that it is \(own.url). Sign in there? [y/N] "
      guard try ["y", "yes"].contains(Terminal.ask(question)) else {
        throw failure
      }
    }
    var wishes = wishes
    wishes.acceptsIssuer = false
    return try SignIn(engine: engine, deployment: own, wishes: wishes).run()
  }
}
