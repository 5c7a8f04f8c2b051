import Credentials
import Glibc
import OAuth
import Secrets

/// Turns a stored session into one whose access token works, asking the server only when needed.
struct Refresher {
  /// Why a session is refreshed.
  enum Occasion: Equatable {
    /// The access token is too old: it must live so much longer.
    case age(minimumSeconds: Int64)
    /// The deployment is said to have rejected the access token.
    case rejection
    /// It is time, and nobody is waiting.
    case schedule
    /// A person wants it now.
    case command

    /// Whether a tool waits for the token and takes one that still lives.
    var isAnswer: Bool {
      switch self {
      case .age, .rejection: true
      case .schedule, .command: false
      }
    }
  }

  let context: CommandContext

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
    if session.isFresh(now: context.now(), minimumSeconds: minimumSeconds) { return session }
    guard session.method == .oauth, session.refreshToken != nil else {
      // Nothing can be had that lives longer; what still lives is better than nothing.
      if session.isAlive(now: context.now()) { return session }
      throw .ended(session)
    }
    guard mayRefresh else {
      if session.isAlive(now: context.now()) { return session }
      throw Failure(
        .signInAgain, "the access token for \(session.deployment.url) is no longer valid",
        hint: "leave out --no-refresh to have it refreshed")
    }
    let isOld = session.secondsLeft(now: context.now()).map { $0 < minimumSeconds } ?? false
    return try renewed(
      session,
      on: session.staleSince != nil && !isOld ? .rejection : .age(minimumSeconds: minimumSeconds))
  }

  /// A session with another access token than the one that was just rejected, if one may be had.
  ///
  /// - Returns: the very session given when a refresh was forced a moment ago, or the deployment
  ///   is to be left alone.
  func replaced(_ rejected: StoredSession) throws(Failure) -> StoredSession {
    guard rejected.method == .oauth, rejected.refreshToken != nil else { throw .ended(rejected) }
    return try renewed(rejected, on: .rejection)
  }

  /// Refreshes a session, once among all processes that want it.
  ///
  /// - Returns: the session with a token that was issued since `seen` was read; for an answer, else
  ///   one that still lives.
  func renewed(
    _ seen: StoredSession, on occasion: Occasion
  ) throws(Failure) -> StoredSession {
    let survives = occasion.isAnswer && seen.isAlive(now: context.now())
    do throws(Failure) {
      let lock = try RefreshLock(
        of: seen.deployment, account: seen.account, environment: context.environment)
      if let answer = try duringWait(seen, occasion, lock) { return answer }
      context.trace("waiting for the refresh lock of \(seen.deployment.url)")
      return try lock.hold(
        within: survives ? 10_000 : RefreshLock.patience,
        orTake: { () throws(Failure) in
          let current = try reread(seen)
          if answers(current, seen, occasion) { return current }
          return try withoutAsking(current, occasion, lock)
        },
        { () throws(Failure) in try refreshUnderLock(seen, occasion, lock) })
    } catch {
      guard survives, error.remedy == .retryLater || error.remedy == .unlock else { throw error }
      Terminal.say("coder-cred: warning: not refreshed, will be tried again: \(error.message)")
      return seen
    }
  }

  /// The same question again, now that nobody else can answer it: a sibling may have refreshed
  /// while we waited.
  private func refreshUnderLock(
    _ seen: StoredSession, _ occasion: Occasion, _ lock: RefreshLock
  ) throws(Failure) -> StoredSession {
    let current = try reread(seen)
    if answers(current, seen, occasion) { return current }
    if let answer = try withoutAsking(current, occasion, lock) { return answer }
    guard current.method == .oauth, let refreshToken = current.refreshToken else {
      throw .ended(current)
    }
    guard let client = try client(of: current) else {
      return try survivor(
        of: current,
        .signInAgain(
          current, "the OAuth client that \(current.deployment.url) issued the session to is gone"))
    }
    return try TokenRefresh(
      context: context, session: current, refreshToken: refreshToken, client: client,
      occasion: occasion, historyPath: lock.historyPath
    ).run()
  }

  /// What can be said of a session just read, without asking the deployment.
  ///
  /// - Returns: nil when it may be asked.
  private func withoutAsking(
    _ current: StoredSession, _ occasion: Occasion, _ lock: RefreshLock
  ) throws(Failure) -> StoredSession? {
    let isExpired = current.secondsLeft(now: context.now()).map { $0 <= 0 } ?? false
    if occasion == .rejection, !isExpired,
      RefreshHistory(readingFrom: lock.historyPath).wasForced(now: BootClock.milliseconds)
    {
      context.trace("a refresh of \(current.deployment.url) was forced a moment ago: not again")
      return current
    }
    return try duringWait(current, occasion, lock)
  }

  /// What can be said while the deployment is to be left alone; nil when it is not.
  private func duringWait(
    _ current: StoredSession, _ occasion: Occasion, _ lock: RefreshLock
  ) throws(Failure) -> StoredSession? {
    if occasion == .command { return nil }
    let history = RefreshHistory(readingFrom: lock.historyPath)
    let now = BootClock.milliseconds
    guard let wait = history.wait(now: now) else { return nil }
    if current.isAlive(now: context.now()) {
      context.trace("\(current.deployment.url) is left alone for \(wait) ms more")
      return current
    }
    let ago = (history.sinceFailure(now: now) ?? 0) / 1000
    throw Failure(
      .retryLater,
      "\(current.deployment.url) could not refresh the session \(ago) s ago; "
        + "the next try is in \(wait / 1000 + 1) s",
      hint: "to try at once: coder-cred refresh \(current.deployment.url)")
  }

  private func reread(_ session: StoredSession) throws(Failure) -> StoredSession {
    let current = try context.keyring { store throws(StoreError) in
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
    _ current: StoredSession, _ seen: StoredSession, _ occasion: Occasion
  ) -> Bool {
    if current.accessToken != seen.accessToken && current.isAlive(now: context.now()) {
      return true
    }
    guard case .age(let minimumSeconds) = occasion else { return false }
    return current.isFresh(now: context.now(), minimumSeconds: minimumSeconds)
  }

  /// The client the tokens were issued to. With any other, the server would refuse the refresh
  /// token for good.
  private func client(of session: StoredSession) throws(Failure) -> StoredRegistration? {
    let client = try context.keyring { store throws(StoreError) in
      try store.client(of: session.deployment)
    }
    return client.flatMap { $0.registration.clientID == session.clientID ? $0 : nil }
  }

  private func survivor(
    of session: StoredSession, _ failure: Failure
  ) throws(Failure) -> StoredSession {
    guard session.isAlive(now: context.now()) else { throw failure }
    Terminal.report(failure)
    return session
  }
}

extension Failure {
  /// Nothing else can help: a person must sign in, and this is how.
  static func signInAgain(_ session: StoredSession, _ message: String) -> Failure {
    signIn(to: session.deployment, message)
  }

  /// What later calls say of a session that ended, without asking the server.
  static func ended(_ session: StoredSession) -> Failure {
    signInAgain(session, "the session with \(session.deployment.url) has ended")
  }
}
