import Credentials
import Glibc
import OAuth
import Secrets

/// Turns a stored session into one whose access token works, asking the server only when needed.
struct Refresher {
  let engine: Engine

  /// A session to hand out: as stored when it is fresh, else refreshed.
  ///
  /// - Parameters:
  ///   - session: what the keyring holds.
  ///   - minimumSeconds: how long the access token must still live.
  ///   - mayRefresh: whether the server may be asked.
  /// - Returns: a session whose access token is alive.
  /// - Throws: when there is no access token alive, and none can be had.
  func live(
    _ session: StoredSession, minimumSeconds: Int64, mayRefresh: Bool
  ) throws(Failure) -> StoredSession {
    if session.isFresh(now: engine.now(), minimumSeconds: minimumSeconds) { return session }
    guard session.method == .oauth, session.refreshToken != nil else {
      // Nothing can be had that lives longer; what still lives is better than nothing.
      if session.isAlive(now: engine.now()) { return session }
      throw .signInAgain(session, "the session with \(session.deployment.url) has ended")
    }
    guard mayRefresh else {
      if session.isAlive(now: engine.now()) { return session }
      throw Failure(
        .signInAgain, "the access token for \(session.deployment.url) is no longer valid",
        hint: "leave out --no-refresh to have it refreshed")
    }
    let lock = try RefreshLock(
      of: session.deployment, account: session.account, environment: engine.environment)
    engine.trace("waiting for the refresh lock of \(session.deployment.url)")
    return try lock.hold(
      orTake: { () throws(Failure) in
        let current = try reread(session)
        return answers(current, session, minimumSeconds) ? current : nil
      },
      { () throws(Failure) in try refreshUnderLock(session, minimumSeconds: minimumSeconds) })
  }

  /// The same question again, now that nobody else can answer it: a sibling may have refreshed
  /// while we waited.
  private func refreshUnderLock(
    _ seen: StoredSession, minimumSeconds: Int64
  ) throws(Failure) -> StoredSession {
    let current = try reread(seen)
    if answers(current, seen, minimumSeconds) { return current }
    guard current.method == .oauth, let refreshToken = current.refreshToken else {
      throw .signInAgain(current, "the session with \(current.deployment.url) has ended")
    }
    guard let client = try client(of: current) else {
      return try survivor(
        of: current,
        .signInAgain(
          current, "the OAuth client that \(current.deployment.url) issued the session to is gone"))
    }
    return try Refresh(engine: engine, session: current, refreshToken: refreshToken, client: client)
      .run()
  }

  private func reread(_ session: StoredSession) throws(Failure) -> StoredSession {
    let current = try engine.keyring { store throws(StoreError) in
      try store.session(like: session)
    }
    guard let current else {
      throw .signInAgain(
        session, "the session with \(session.deployment.url) was removed meanwhile")
    }
    return current
  }

  /// Whether what the keyring holds now will do: fresh, or a sibling's new token, which is as good
  /// as one of our own could be.
  private func answers(
    _ current: StoredSession, _ seen: StoredSession, _ minimumSeconds: Int64
  ) -> Bool {
    current.isFresh(now: engine.now(), minimumSeconds: minimumSeconds)
      || (current.accessToken != seen.accessToken && current.isAlive(now: engine.now()))
  }

  /// The client the tokens were issued to. With any other, the server would refuse the refresh
  /// token for good.
  private func client(of session: StoredSession) throws(Failure) -> StoredClient? {
    let client = try engine.keyring { store throws(StoreError) in
      try store.client(of: session.deployment)
    }
    return client.flatMap { $0.registration.clientID == session.clientID ? $0 : nil }
  }

  private func survivor(
    of session: StoredSession, _ failure: Failure
  ) throws(Failure) -> StoredSession {
    guard session.isAlive(now: engine.now()) else { throw failure }
    Terminal.report(failure)
    return session
  }
}

extension Failure {
  /// Nothing else can help: a person must sign in, and this is how.
  static func signInAgain(_ session: StoredSession, _ message: String) -> Failure {
    signIn(to: session.deployment, message)
  }
}
