package import Credentials
import HTTP
package import OAuth
import Secrets

/// Ends sessions with one deployment: at the server as far as that goes, and on this machine in any
/// case.
package struct SessionRevocation {
  private let services: SessionServices
  private let deployment: Deployment
  private let keepsRegistration: Bool
  private let revokesForeignTokens: Bool

  /// Ends sessions with a deployment.
  ///
  /// - Parameters:
  ///   - services: the seams.
  ///   - deployment: whose sessions.
  ///   - keepsRegistration: whether our registration stays for the next sign-in.
  ///   - revokesForeignTokens: whether tokens that were made elsewhere are revoked, too.
  package init(
    services: SessionServices, deployment: Deployment, keepsRegistration: Bool,
    revokesForeignTokens: Bool
  ) {
    self.services = services
    self.deployment = deployment
    self.keepsRegistration = keepsRegistration
    self.revokesForeignTokens = revokesForeignTokens
  }

  /// Ends one session, and our registration with it unless another session needs it.
  ///
  /// The lock keeps a refresh that is under way from putting back what is removed here, and that of
  /// the registration keeps a sign-in from using what is deleted here.
  ///
  /// - Returns: what the server could not be made to do; the secrets are gone from this machine
  ///   nevertheless.
  /// - Throws: when the keyring or the lock failed; nothing is lost then.
  package func end(_ session: StoredSession) throws(SessionError) -> [UnrevokedItem] {
    let deadline = services.clock.uptimeMilliseconds + Int64(RefreshMark.timeoutMilliseconds)
    while true {
      let unrevoked = try services.lock.withSession(
        session.identity, in: services.store, clock: services.clock
      ) { held, current throws(SessionError) -> [UnrevokedItem]? in
        guard let current else { return [] }
        return try services.lock.withRegistrationLock(at: deployment) { _ throws(SessionError) in
          do throws(StoreError) { return try end(current, holding: held) } catch {
            throw .store(error)
          }
        }
      }
      if let unrevoked { return unrevoked }
      guard services.clock.uptimeMilliseconds < deadline else {
        throw .changedMeanwhile(session.identity)
      }
    }
  }

  /// Ends a session under the locks.
  ///
  /// - Returns: nil when another process has changed the session.
  private func end(
    _ current: StoredSession, holding held: HeldLock
  ) throws(StoreError) -> [UnrevokedItem]? {
    let registration = try registration(besides: current)
    // Before anything is revoked: should we be stopped, or the item not be removed, nobody must be
    // handed a token that was revoked. Who would refresh it waits until it is gone.
    let owner = RefreshMark.owner(holding: held, number: services.random())
    var marked = current.marked(by: owner, since: services.clock.now)
    marked.staleSince = services.clock.now
    guard try services.mark(current, as: marked, holding: held) else { return nil }
    let unrevoked = revoke(current, registration)
    do throws(StoreError) {
      try services.store.removeSessions(of: deployment, account: current.account)
    } catch {
      marked.refreshToken = nil
      marked.refreshingBy = nil
      try? services.store.save(marked)
      throw error
    }
    services.history.save(RefreshHistory(), of: current.identity)
    if registration.isLeftOver { try services.store.removeRegistration(of: deployment) }
    return unrevoked
  }

  /// Ends a registration that no session uses.
  ///
  /// - Returns: what the server could not be made to do.
  /// - Throws: when the keyring or the lock failed.
  package func endLeftOverRegistration() throws(SessionError) -> [UnrevokedItem] {
    try services.lock.withRegistrationLock(at: deployment) { _ throws(SessionError) in
      do throws(StoreError) {
        let registration = try registration(besides: nil)
        guard registration.isLeftOver, let stored = registration.stored else { return [] }
        let item = deregister(stored, afterwards: nil)
        try services.store.removeRegistration(of: deployment)
        return item.map { [$0] } ?? []
      } catch {
        throw .store(error)
      }
    }
  }

  private func revoke(
    _ session: StoredSession, _ registration: (stored: StoredRegistration?, isLeftOver: Bool)
  ) -> [UnrevokedItem] {
    let tokens = revokeTokens(session, registration.stored)
    guard registration.isLeftOver, let stored = registration.stored else {
      return [tokens].compactMap(\.self)
    }
    if let item = deregister(stored, afterwards: tokens) {
      return [tokens, item].compactMap(\.self)
    }
    // RFC 7592 §2.3: the server "SHOULD immediately invalidate all existing authorization grants
    // and currently active access tokens, all refresh tokens".
    return stored.isDynamic && session.method == .oauth ? [] : [tokens].compactMap(\.self)
  }

  /// The deployment's registration, and whether nobody needs it once a session is gone.
  private func registration(
    besides session: StoredSession?
  ) throws(StoreError) -> (stored: StoredRegistration?, isLeftOver: Bool) {
    let stored: StoredRegistration?
    // What is not ours to use is not ours to remove, and keeps nobody signed in.
    do throws(StoreError) { stored = try services.store.registration(of: deployment) } catch {
      guard case .unreadable = error else { throw error }
      stored = nil
    }
    let others = try services.store.entries(of: deployment)
      .filter { $0.account != session?.account }
    let isUsed = others.contains { entry in
      switch entry.content {
      case .session(let other): other.method == .oauth
      // What cannot be read may well use it.
      case .locked, .unreadable: true
      case .lost: false
      }
    }
    return (stored, stored != nil && !keepsRegistration && !isUsed)
  }

  private func revokeTokens(
    _ session: StoredSession, _ registration: StoredRegistration?
  ) -> UnrevokedItem? {
    guard session.method == .oauth else {
      return revokesForeignTokens ? logout(session) : nil
    }
    guard let registration, registration.clientID == session.clientID else {
      return logout(session)
    }
    do throws(OAuthError) {
      guard let revocation = try registration.revocation(services.policy(deployment)) else {
        return logout(session)
      }
      try revocation.revoke(
        accessToken: session.accessToken, refreshToken: session.refreshToken,
        client: services.client(deployment, .canTakeItsTime), now: services.clock.now)
      return nil
    } catch .transport(let error) {
      // The same server would not respond to another request either.
      return UnrevokedItem(.tokens, .oauth(.transport(error)))
    } catch {
      return logout(session)
    }
  }

  /// Ends a token by the deployment's own means.
  private func logout(_ session: StoredSession) -> UnrevokedItem? {
    let policy: EndpointPolicy
    do throws(OAuthError) { policy = try services.policy(deployment) } catch {
      return UnrevokedItem(.tokens, .oauth(error))
    }
    let http = services.client(deployment, .canTakeItsTime)
    switch DeploymentAPI(policy: policy, client: http).logout(session.accessToken) {
    case .ended: return nil
    case .rejected:
      return session.refreshToken == nil ? nil : UnrevokedItem(.tokens, .accessTokenDead)
    case .unsupported(let status): return UnrevokedItem(.tokens, .unsupported(status: status))
    case .noResponse(.oauth(let error)): return UnrevokedItem(.tokens, .oauth(error))
    case .noResponse(.unexpected(let status)):
      return UnrevokedItem(.tokens, .unexpected(status: status))
    }
  }

  private func deregister(
    _ registration: StoredRegistration, afterwards earlier: UnrevokedItem?
  ) -> UnrevokedItem? {
    guard registration.isDynamic else { return nil }
    let subject = UnrevokedItem.Subject.registration(clientID: registration.clientID)
    if let earlier, case .oauth(.transport) = earlier.reason {
      return UnrevokedItem(subject, earlier.reason)
    }
    do throws(OAuthError) {
      try registration.information.delete(
        policy: services.policy(deployment), client: services.client(deployment, .canTakeItsTime),
        now: services.clock.now)
      return nil
    } catch .refused(_, status: 401), .unavailable(status: 410, _, _) {
      // RFC 7592 §2.3: "If the client does not exist on this server, the server MUST respond with
      // HTTP 401 Unauthorized". Some say that it is gone.
      return nil
    } catch {
      return UnrevokedItem(subject, .oauth(error))
    }
  }
}

/// Something that the server keeps although the person signed out.
package struct UnrevokedItem: Equatable, Sendable {
  /// What it keeps.
  package enum Subject: Equatable, Sendable {
    /// The session's tokens, until they expire.
    case tokens
    /// Our registration.
    case registration(clientID: String)
  }

  /// Why.
  package enum Reason: Equatable, Sendable {
    /// It refused, does not do that, or could not be reached.
    case oauth(OAuthError)
    /// It has no way to end a token.
    case unsupported(status: Int)
    /// It cannot respond now, or a proxy did.
    case unexpected(status: Int)
    /// It ends a refresh token only together with a live access token.
    case accessTokenDead
  }

  /// What the server keeps.
  package let subject: Subject
  /// Why.
  package let reason: Reason

  /// Describes it.
  package init(_ subject: Subject, _ reason: Reason) {
    self.subject = subject
    self.reason = reason
  }
}
