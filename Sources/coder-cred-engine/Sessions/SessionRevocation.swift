import Credentials
import HTTP
import OAuth
import Secrets

/// Ends sessions with one deployment: at the server as far as that goes, and on this machine in any
/// case.
struct SessionRevocation {
  /// Something at the server that could not be undone.
  struct UnrevokedItem {
    let remedy: Failure.Remedy
    let message: String
    /// Whether there was no way to the server, so that asking it more is in vain.
    var isUnreached = false
  }

  let context: CommandContext
  let deployment: Deployment
  let keepsClient: Bool
  /// Whether tokens that were made elsewhere are ended too.
  let revokesTokens: Bool

  /// Ends one session, and its client with it unless somebody else needs it.
  ///
  /// The lock keeps a refresh that is under way from putting back what is removed here.
  ///
  /// - Returns: what could not be done; the secrets are gone from this machine nevertheless.
  /// - Throws: when the keyring or the lock failed; nothing is lost then.
  func end(_ session: StoredSession) throws(Failure) -> [UnrevokedItem] {
    let lock = try RefreshLock(
      of: deployment, account: session.account, environment: context.environment)
    return try lock.hold { () throws(Failure) in
      let current = try context.keyring { store throws(StoreError) in
        try store.session(like: session)
      }
      guard let current else { return [] }
      let client = try client(besides: current)
      var unrevoked: [UnrevokedItem] = []
      if let item = revoke(current, client.stored) { unrevoked.append(item) }
      if client.isLeftOver, let stored = client.stored {
        if let item = deregister(stored, afterwards: unrevoked.last) {
          unrevoked.append(item)
        } else {
          // RFC 7592 §2.3: the server "SHOULD immediately invalidate all existing authorization
          // grants and currently active access tokens, all refresh tokens".
          if stored.isManaged && current.method == .oauth { unrevoked = [] }
        }
      }
      try context.keyring { store throws(StoreError) in
        try store.removeSessions(of: deployment, account: current.account)
        if client.isLeftOver { try store.removeClient(of: deployment) }
      }
      return unrevoked
    }
  }

  /// Ends a client that no session uses.
  func endLeftOverClient() throws(Failure) -> [UnrevokedItem] {
    let client = try client(besides: nil)
    guard client.isLeftOver, let stored = client.stored else { return [] }
    let item = deregister(stored, afterwards: nil)
    try context.keyring { store throws(StoreError) in try store.removeClient(of: deployment) }
    return item.map { [$0] } ?? []
  }

  /// The deployment's client, and whether nobody needs it once a session is gone.
  private func client(
    besides session: StoredSession?
  ) throws(Failure) -> (stored: StoredRegistration?, isLeftOver: Bool) {
    try context.keyring { store throws(StoreError) in
      let client: StoredRegistration?
      // What is not ours to use is not ours to remove, and keeps nobody signed in.
      do throws(StoreError) { client = try store.client(of: deployment) } catch .unreadable {
        client = nil
      }
      let others = try store.entries(of: deployment).filter { $0.account != session?.account }
      let isUsed = others.contains { entry in
        // What cannot be read may well use it.
        guard case .session(let other) = entry.content else { return true }
        return other.method == .oauth
      }
      return (client, client != nil && !keepsClient && !isUsed)
    }
  }

  private func revoke(_ session: StoredSession, _ client: StoredRegistration?) -> UnrevokedItem? {
    guard session.method == .oauth else {
      return revokesTokens ? end(session.accessToken, of: session) : nil
    }
    guard let client, client.registration.clientID == session.clientID else {
      return end(session.accessToken, of: session)
    }
    do {
      let policy = try context.endpointPolicy(of: deployment)
      guard let revocation = try client.revocation(policy) else {
        return end(session.accessToken, of: session)
      }
      try revocation.revoke(
        accessToken: session.accessToken, refreshToken: session.refreshToken,
        client: context.client(for: deployment), now: context.now())
      return nil
    } catch OAuthError.transport(let error) {
      // The same server would not answer another question either.
      return .tokens(Failure(error, at: deployment), isUnreached: true)
    } catch {
      return end(session.accessToken, of: session)
    }
  }

  /// Ends a token by the deployment's own means.
  private func end(_ token: Secret, of session: StoredSession) -> UnrevokedItem? {
    let api: DeploymentAPI
    do throws(Failure) { api = try DeploymentAPI(deployment, context) } catch {
      return .tokens(error, isUnreached: true)
    }
    switch api.end(token) {
    case .ended: return nil
    case .rejected where session.refreshToken == nil: return nil
    case .rejected:
      return .tokens(
        Failure(.fixTheServer, "\(deployment.url) revokes nothing once the access token is dead"))
    case .unsupported(let status):
      return .tokens(
        Failure(.fixTheServer, "\(deployment.url) cannot revoke tokens (HTTP \(status))"))
    case .unanswered(let failure): return .tokens(failure)
    case .unreached(let failure): return .tokens(failure, isUnreached: true)
    }
  }

  private func deregister(_ client: StoredRegistration, afterwards earlier: UnrevokedItem?)
    -> UnrevokedItem?
  {
    guard client.isManaged else { return nil }
    let id = client.registration.clientID
    if let earlier, earlier.isUnreached {
      return UnrevokedItem(
        remedy: earlier.remedy, message: "\(deployment.url) still has the client \(id) registered")
    }
    do {
      try client.registration.delete(
        policy: context.endpointPolicy(of: deployment), client: context.client(for: deployment),
        now: context.now())
      return nil
    } catch OAuthError.refused(_, status: 401) {
      // RFC 7592 §2.3: "If the client does not exist on this server, the server MUST respond with
      // HTTP 401 Unauthorized".
      return nil
    } catch let error as OAuthError {
      let failure = Failure(error, at: deployment)
      return .client(id, failure, isTransient: failure.remedy == .retryLater && !error.isAbsence)
    } catch {
      return .client(id, error as? Failure, isTransient: false)
    }
  }
}

extension OAuthError {
  /// Whether there is nobody at this address who could do what was asked, now or later.
  fileprivate var isAbsence: Bool {
    guard case .unavailable(let status, _, _) = self else { return false }
    return (400..<500).contains(status) && ![408, 429].contains(status)
  }
}

extension SessionRevocation.UnrevokedItem {
  fileprivate static func tokens(_ failure: Failure, isUnreached: Bool = false) -> Self {
    Self(
      remedy: isUnreached || failure.remedy == .retryLater ? .retryLater : .fixTheServer,
      message: "the tokens are not revoked and live until they expire: \(failure.message)",
      isUnreached: isUnreached)
  }

  fileprivate static func client(_ id: String, _ failure: Failure?, isTransient: Bool) -> Self {
    Self(
      remedy: isTransient ? .retryLater : .fixTheServer,
      message: "the client \(id) stays registered: \(failure?.message ?? "it cannot be ended")")
  }
}

extension StoredRegistration {
  /// Whether this machine registered it, and so may end it, rather than a person by hand.
  var isManaged: Bool {
    registration.registrationAccessToken != nil && registration.registrationClientURI != nil
  }
}
