import Credentials
import Glibc
import HTTP
import OAuth
import Secrets

/// Signing in with a session token that the person copies from the deployment's page.
struct TokenLogin {
  let context: CommandContext
  let deployment: Deployment
  let options: LoginOptions

  /// Signs in with a token, once the deployment has said whose it is.
  func run(_ token: Secret) throws(Failure) -> StoredSession {
    let http = try context.client(for: deployment)
    let account = try verify(token, http)
    if let wanted = options.account, wanted != account {
      throw Failure(.askForAccess, "the token is \(account)'s, not \(wanted)'s")
    }
    var session = StoredSession(
      deployment: deployment, account: account, method: .token, accessToken: token)
    session.issuedAt = context.now()
    session.signedInAt = context.now()
    return try keep(session, http)
  }

  /// Asks for the token; nil when none is given.
  func readToken() throws(Failure) -> Secret? {
    let page = try context.webAddress("\(deployment.url)/cli-auth", of: deployment)
    if isatty(STDIN_FILENO) != 0 {
      let browser = Browser(environment: context.environment)
      if options.opensBrowser && browser.isHere && browser.open(page) {
        Terminal.say("Your browser shows a session token. If none opened, open this address:")
      } else {
        Terminal.say("Open this address in a browser; it shows a session token:")
      }
      Terminal.say("")
      Terminal.say("  \(page)")
      Terminal.say("")
    }
    let line = try Terminal.readSecret("Paste the token here (it stays hidden): ")
    let token = line.map { String(decoding: $0.utf8.filter { $0 > 0x20 }, as: UTF8.self) }
    guard token.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw Failure(.fixTheInput, "this is no session token", hint: "it is shown at \(page)")
    }
    return token.isEmpty ? nil : token
  }

  private func verify(_ token: Secret, _ http: any HTTPClient) throws(Failure) -> String {
    switch try DeploymentAPI(deployment, context, client: http).check(of: token) {
    case .works(let name?): return name
    case .rejected:
      throw Failure(
        .askForAccess, "\(deployment.url) does not accept this token",
        hint: "copy a fresh one from \(deployment.url)/cli-auth")
    case .works(nil), .unclear:
      throw Failure(.fixTheServer, "\(deployment.url) does not say whose token it is")
    case .unanswered(let failure): throw failure
    }
  }

  /// The person chose the token: an OAuth session of the same account ends, here and there.
  private func keep(
    _ session: StoredSession, _ http: any HTTPClient
  ) throws(Failure) -> StoredSession {
    let lock = try RefreshLock(
      of: deployment, account: session.account, environment: context.environment)
    let (former, client) = try lock.hold {
      () throws(Failure) -> ([StoredSession], StoredRegistration?) in
      try context.keyring { store throws(StoreError) in
        // A session whose account nobody knows would be preferred to the token that was chosen.
        let former = try store.sessions(of: deployment, account: session.account)
          .filter { $0.method == .oauth }
        if former.contains(where: { $0.accessToken == session.accessToken }) { return ([], nil) }
        let client = try store.client(of: deployment)
        try store.save(session)
        if former.contains(where: \.account.isEmpty) {
          try store.removeSessions(of: deployment, account: "")
        }
        return (former, client)
      }
    }
    for old in former { end(old, client, http) }
    return session
  }

  /// Revokes the grant of a session that made room for the token.
  private func end(_ old: StoredSession, _ client: StoredRegistration?, _ http: any HTTPClient) {
    guard let grant = old.refreshToken else { return }
    var reason = "the deployment revokes none"
    if let client, client.registration.clientID == old.clientID {
      do {
        let policy = try context.endpointPolicy(of: deployment)
        if let revocation = try client.revocation(policy) {
          try revocation.revoke(grant, hint: .refreshToken, client: http, now: context.now())
          return
        }
      } catch {
        reason = (error as? Failure)?.message ?? "\(error)"
      }
    }
    Terminal.say("coder-cred: warning: the former sign-in is not revoked: \(reason)")
  }
}
