import Credentials
import HTTP
import OAuth
import Secrets
import Sessions

/// Signing in with a session token that the person copied from the deployment's page.
struct TokenLogin {
  let flow: LoginFlow

  private var deployment: Deployment { flow.deployment }
  private var services: SessionServices { flow.services }

  /// Signs in with a token, once the deployment has said whose it is.
  func run(_ token: Secret) throws(LoginError) -> StoredSession {
    let http = services.client(deployment, .canTakeItsTime)
    let account = try owner(of: token, http)
    if let wanted = flow.options.account, wanted != account {
      throw .wrongAccount(found: account, wanted: wanted, isOfBrowser: false)
    }
    var session = StoredSession(
      deployment: deployment, account: account, method: .token, accessToken: token)
    session.issuedAt = services.clock.now
    session.signedInAt = services.clock.now
    // That nobody knows until when it lives is no reason to refuse it.
    if let key = try? services.api(of: deployment, urgency: .personWaits).keptKey(of: token) {
      session.note(key)
    }
    try keep(session, http)
    return session
  }

  private func owner(of token: Secret, _ http: any HTTPClient) throws(LoginError) -> String {
    switch DeploymentAPI(policy: try flow.policy(), client: http).check(token) {
    case .works(let name?): return name
    case .rejected: throw .tokenRejected
    case .works(nil), .unclear: throw .tokenOwnerUnknown
    case .noResponse(let reason): throw .noResponse(reason)
    }
  }

  /// The person chose the token: an OAuth session of the same account ends, here and there.
  private func keep(_ session: StoredSession, _ http: any HTTPClient) throws(LoginError) {
    let (former, registration) = try flow.storing(
      lockingSessionOf: session.account, timeoutMilliseconds: 10_000
    ) {
      store, _ throws(StoreError) -> ([StoredSession], StoredRegistration?) in
      // A session whose account nobody knows would be preferred to the token that was chosen.
      let former = try store.sessions(of: deployment, account: session.account)
        .filter { $0.method == .oauth }
      if former.contains(where: { $0.accessToken == session.accessToken }) { return ([], nil) }
      let registration = try store.registration(of: deployment)
      try store.save(session)
      services.history.save(RefreshHistory(), of: session.identity)
      if former.contains(where: \.account.isEmpty) {
        try store.removeSessions(of: deployment, account: "")
      }
      return (former, registration)
    }
    for old in former { revoke(old, registration, http) }
  }

  /// Revokes the grant of a session that made room for the token.
  private func revoke(
    _ old: StoredSession, _ registration: StoredRegistration?, _ http: any HTTPClient
  ) {
    guard let grant = old.refreshToken else { return }
    guard let registration, registration.clientID == old.clientID else {
      return flow.prompt.tell(.formerNotRevoked(nil))
    }
    do throws(OAuthError) {
      guard let revocation = try registration.revocation(services.policy(deployment)) else {
        return flow.prompt.tell(.formerNotRevoked(nil))
      }
      try revocation.revoke(grant, hint: .refreshToken, client: http, now: services.clock.now)
    } catch {
      flow.prompt.tell(.formerNotRevoked(error))
    }
  }
}
