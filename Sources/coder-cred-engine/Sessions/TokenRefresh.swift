import Basics
import Credentials
import Glibc
import OAuth
import Secrets

/// One refresh of one session, under its lock (RFC 6749 §6).
struct TokenRefresh {
  /// How long to go on trying to save what a refresh brought, in milliseconds.
  static let savingPatience = 5_000

  let context: CommandContext
  let session: StoredSession
  let refreshToken: Secret
  let client: StoredRegistration
  let occasion: Refresher.Occasion
  let historyPath: String

  func run() throws(Failure) -> StoredSession {
    let http = DateRecordingClient(
      client: try context.client(for: session.deployment, isHurried: occasion.isAnswer))
    let policy = try context.endpointPolicy(of: session.deployment)
    // From here until the answer is saved, a signal would cost the session.
    let signals = HeldSignals()
    defer { signals.release() }
    // Marking the item first proves that the keyring takes a write, before a refresh token is
    // spent whose successor could not be kept.
    var marked = session
    marked.refreshingSince = context.now()
    try save(marked)
    let start = BootClock.milliseconds
    do throws(OAuthError) {
      let response = try client.tokenEndpoint(policy).refresh(
        refreshToken, resource: session.resource, client: http, now: context.now())
      for oddity in response.oddities { Terminal.say("coder-cred: warning: \(oddity)") }
      let renewed = keep(session.renewed(with: response, now: context.now()))
      note { $0.succeed(now: BootClock.milliseconds, isForced: occasion == .rejection) }
      http.warn(session.deployment, now: context.now())
      return renewed
    } catch {
      http.warn(session.deployment, now: context.now())
      return try recover(from: error, took: BootClock.milliseconds - start)
    }
  }

  /// The server has spent the old refresh token: the new session is handed out even if the keyring
  /// will not take it.
  private func keep(_ renewed: StoredSession) -> StoredSession {
    let deadline = MonotonicClock.milliseconds + Self.savingPatience
    while true {
      do throws(Failure) {
        try save(renewed)
        return renewed
      } catch {
        guard MonotonicClock.milliseconds < deadline else {
          Terminal.say(
            "coder-cred: warning: refreshed, but not saved: \(error.message); "
              + "a new sign-in will be needed once this token expires")
          return renewed
        }
        // The service may have died; its successor is another peer on the bus.
        context.closeStore()
        usleep(100_000)
      }
    }
  }

  private func recover(from error: OAuthError, took: Int64) throws(Failure) -> StoredSession {
    let failure =
      error.isTransient
      ? Failure(error, at: session.deployment).becoming(.retryLater)
      : Failure(error, at: session.deployment)
    switch error.grantState {
    case .dead:
      return try end(because: error)
    case .unspent where error.isClientRefused:
      return try end(because: error)
    case .unspent:
      // The server did not refresh: no mark must make the next process think that it might have.
      // An older mark stays: that one's answer is still unknown.
      try? save(session)
    case .unknown:
      break  // The mark stays: it tells the next process what may have happened.
    }
    if error.isOfDeployment {
      note {
        $0.fail(
          now: BootClock.milliseconds, took: took, retryAfter: error.retryAfter,
          jitter: .random(in: 0...1))
      }
    }
    guard occasion.isAnswer, session.isAlive(now: context.now()) else { throw failure }
    Terminal.say("coder-cred: warning: not refreshed, will be tried again: \(failure.message)")
    return session
  }

  /// Only a refusal of an unchanged session's refresh token, under the lock, ends a session.
  private func end(because error: OAuthError) throws(Failure) -> StoredSession {
    let stored = try context.keyring { store throws(StoreError) in
      try store.session(like: session)
    }
    guard let stored else {
      throw .signInAgain(
        session, "the session with \(session.deployment.url) was removed meanwhile")
    }
    if stored.refreshToken != refreshToken {
      if stored.isAlive(now: context.now()) { return stored }
      throw Failure(
        .retryLater, "the session with \(session.deployment.url) was changed by another process")
    }
    // The refresh token is dead: without it, later calls know so without asking the server.
    var ended = session
    ended.refreshToken = nil
    ended.refreshingSince = nil
    ended.staleSince = context.now()
    try save(ended)
    note { $0.succeed(now: BootClock.milliseconds, isForced: false) }
    if error.isClientRefused { try removeClient() }
    throw .signInAgain(
      session,
      session.refreshingSince == nil
        ? "\(session.deployment.url) no longer accepts the session"
        : "\(session.deployment.url) no longer accepts the session: an interrupted refresh ended it"
    )
  }

  /// The registration is dead too; signing in must not offer it again.
  private func removeClient() throws(Failure) {
    try context.keyring { store throws(StoreError) in
      let stored = try store.client(of: session.deployment)
      guard stored?.registration.clientID == client.registration.clientID else { return }
      try store.removeClient(of: session.deployment)
    }
  }

  private func note(_ change: (inout RefreshHistory) -> Void) {
    let former = RefreshHistory(readingFrom: historyPath)
    var history = former
    change(&history)
    if history != former { history.write(to: historyPath) }
  }

  private func save(_ session: StoredSession) throws(Failure) {
    try context.keyring { store throws(StoreError) in try store.save(session) }
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
    renewed.refreshToken = response.keeping(refreshToken: refreshToken).refreshToken
    renewed.scope = response.scope ?? scope
    renewed.staleSince = nil
    renewed.refreshingSince = nil
    return renewed
  }
}
