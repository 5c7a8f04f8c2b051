import CLinux
import Credentials
import Glibc
import OAuth
import Secrets

/// One refresh of one session, under its lock.
struct Refresh {
  let engine: Engine
  let session: StoredSession
  let refreshToken: Secret
  let client: StoredClient

  func run() throws(Failure) -> StoredSession {
    let http = try engine.client(for: session.deployment)
    // Marking the item first proves that the keyring takes a write, before a refresh token is
    // spent whose successor could not be kept.
    var marked = session
    marked.refreshingSince = engine.now()
    try save(marked)
    // From here until the answer is saved, a signal would cost the session.
    let signals = HeldSignals()
    defer { signals.release() }
    do throws(OAuthError) {
      let endpoint = TokenEndpoint(
        url: client.tokenEndpoint, authentication: client.registration.authentication)
      let response = try endpoint.refresh(
        refreshToken, resource: session.resource, client: http, now: engine.now())
      return keep(session.renewed(with: response, now: engine.now()))
    } catch {
      return try recover(from: error, marked: marked)
    }
  }

  /// The server has spent the old refresh token: the new session is handed out even if the keyring
  /// will not take it.
  private func keep(_ renewed: StoredSession) -> StoredSession {
    for attempt in 0..<3 {
      do throws(Failure) {
        try save(renewed)
        return renewed
      } catch {
        if attempt < 2 {
          usleep(200_000)
        } else {
          Terminal.say(
            "coder-cred: warning: refreshed, but not saved: \(error.message); "
              + "a new sign-in will be needed once this token expires")
        }
      }
    }
    return renewed
  }

  private func recover(
    from error: OAuthError, marked: StoredSession
  ) throws(Failure) -> StoredSession {
    let failure =
      error.isTransient
      ? Failure(error, at: session.deployment).becoming(.retryLater)
      : Failure(error, at: session.deployment)
    switch error.verdict {
    case .sessionEnded:
      return try end(marked, because: error)
    case .nothingHappened:
      // The server did not refresh: no mark must make the next process think that it might have.
      var unmarked = session
      unmarked.refreshingSince = nil
      try? save(unmarked)
    case .unknown:
      break  // The mark stays: it tells the next process what may have happened.
    }
    guard session.isAlive(now: engine.now()) else { throw failure }
    Terminal.say("coder-cred: warning: not refreshed, will be tried again: \(failure.message)")
    return session
  }

  /// Only a refusal of an unchanged session's refresh token, under the lock, ends a session.
  private func end(
    _ marked: StoredSession, because error: OAuthError
  ) throws(Failure) -> StoredSession {
    let stored = try engine.keyring { store throws(StoreError) in
      try store.session(like: session)
    }
    if let stored, stored.refreshToken != refreshToken, stored.isAlive(now: engine.now()) {
      return stored
    }
    if stored?.refreshToken == refreshToken {
      // The refresh token is dead: without it, later calls know so without asking the server.
      var ended = session
      ended.refreshToken = nil
      ended.staleSince = engine.now()
      try save(ended)
    }
    if error.isClientRefused {
      // The registration is dead too; signing in must not offer it again.
      try engine.keyring { store throws(StoreError) in
        try store.removeClient(of: session.deployment)
      }
    }
    let interrupted =
      session.refreshingSince == nil ? "" : "; an earlier refresh was interrupted before its end"
    throw .signInAgain(
      session, "\(session.deployment.url) no longer accepts the session\(interrupted)")
  }

  private func save(_ session: StoredSession) throws(Failure) {
    try engine.keyring { store throws(StoreError) in try store.save(session) }
  }
}

extension StoredSession {
  /// This session with the tokens of a refresh.
  func renewed(with response: TokenResponse, now: Int64) -> StoredSession {
    var renewed = self
    renewed.accessToken = response.accessToken
    renewed.tokenType = response.tokenType
    renewed.issuedAt = now
    renewed.expiresAt = response.expiresAt
    // RFC 6749 §6: "The authorization server MAY issue a new refresh token"; without one, the old
    // one stays good.
    renewed.refreshToken = response.refreshToken ?? refreshToken
    renewed.scope = response.scope ?? scope
    renewed.staleSince = nil
    renewed.refreshingSince = nil
    return renewed
  }
}

/// SIGINT, SIGTERM and SIGHUP wait until they are released.
struct HeldSignals {
  private let former: sigset_t

  init() {
    var held = sigset_t()
    var former = sigset_t()
    sigemptyset(&held)
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&held, signal) }
    pthread_sigmask(SIG_BLOCK, &held, &former)
    self.former = former
  }

  func release() {
    var former = former
    pthread_sigmask(SIG_SETMASK, &former, nil)
  }
}
