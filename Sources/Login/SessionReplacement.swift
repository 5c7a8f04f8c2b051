import Credentials
import OAuth
import Sessions

/// Puts the session that a sign-in brought in the place of the one before.
///
/// Invariants: what a code was exchanged for is kept, whatever the keyring goes through and whoever
/// keeps the lock; but a newer sign-in is not overwritten, nor what was refreshed since.
struct SessionReplacement {
  /// How long to wait for a refresh of the former session, in milliseconds.
  private static let lockTimeoutMilliseconds = 10_000
  /// How long to wait afterwards for whoever kept the lock for longer than that, in milliseconds.
  private static let lateLockTimeoutMilliseconds = 60_000

  let flow: LoginFlow
  let api: DeploymentAPI
  let setup: RegistrationSetup.Outcome
  /// The new session.
  let session: StoredSession
  /// Whether the person wants no more.
  let isInterrupted: () -> Bool

  private var services: SessionServices { flow.services }
  private var registration: StoredRegistration { setup.registration }

  /// Saves the session, and looks after a moment whether it is still there: whoever was not excluded
  /// may have looked before the save, and write after it.
  ///
  /// - Returns: sessions that have made room, and whose grants may still be alive.
  /// - Throws: ``LoginError/endedMeanwhile`` when somebody has ended the session already; the
  ///   keyring's error.
  func run() throws(LoginError) -> [StoredSession] {
    var former: Former?
    var isExclusive = try save(
      &former, lockTimeoutMilliseconds: Self.lockTimeoutMilliseconds, isSaved: false)
    guard !isInterrupted() else { return former?.sessions ?? [] }
    services.clock.sleep(
      milliseconds: RefreshMark.settlingMilliseconds(
        holding: HeldLock(coversKeyring: isExclusive), number: services.random()))
    do throws(LoginError) {
      isExclusive = try save(
        &former, lockTimeoutMilliseconds: Self.lateLockTimeoutMilliseconds, isSaved: true)
    } catch {
      // It is saved, as far as anybody knows.
      if error == .endedMeanwhile { throw error }
    }
    return former?.sessions ?? []
  }

  /// What was there at the first attempt to save.
  private struct Former {
    let sessions: [StoredSession]
    /// Whether a session without a name is the same person's.
    let isNamelessOurs: Bool
    /// Whether everybody else was excluded.
    let wasExclusive: Bool
  }

  /// Saves the session, whatever the keyring goes through meanwhile: the exchange has ended what was
  /// there.
  ///
  /// - Parameters:
  ///   - former: what was there at the first attempt; set by it.
  ///   - lockTimeoutMilliseconds: how long to wait for the lock.
  ///   - isSaved: whether it has been saved already, and is looked after.
  /// - Returns: whether everybody else was excluded.
  /// - Throws: ``LoginError/endedMeanwhile``; the keyring's error.
  private func save(
    _ former: inout Former?, lockTimeoutMilliseconds: Int, isSaved: Bool
  ) throws(LoginError) -> Bool {
    try flow.persevering { () throws(LoginError) in
      let isNamelessOurs: Bool
      if let former {
        isNamelessOurs = former.isNamelessOurs
      } else {
        isNamelessOurs = try isNamelessSession()
      }
      // A refresh of the former session may be under way, and may hang: it saves nothing over this.
      let isExclusive = try flow.storing(
        lockingSessionOf: session.account, timeoutMilliseconds: lockTimeoutMilliseconds
      ) { store, isExclusive throws(StoreError) -> Bool? in
        let before = try store.sessions(of: flow.deployment, account: session.account)
          .filter { $0.method == .oauth && (isNamelessOurs || !$0.account.isEmpty) }
        let first = former
        former =
          first
          ?? Former(
            sessions: before, isNamelessOurs: isNamelessOurs, wasExclusive: isExclusive)
        let lives: Bool
        if isSaved, let first {
          lives = try lookAfter(in: store, before, first.sessions, wasExclusive: first.wasExclusive)
        } else {
          lives = try replace(in: store, before, first?.sessions)
        }
        return lives ? isExclusive : nil
      }
      guard let isExclusive else { throw .endedMeanwhile }
      return isExclusive
    }
  }

  /// Puts the session in the place of those that are stored.
  ///
  /// - Parameters:
  ///   - store: the keyring.
  ///   - before: what is stored.
  ///   - first: what was stored at the first attempt; nil for the first one.
  /// - Returns: whether the session lives; not, when it was ended by whoever came between.
  /// - Throws: the keyring's error.
  private func replace(
    in store: any SessionStore, _ before: [StoredSession], _ first: [StoredSession]?
  ) throws(StoreError) -> Bool {
    // Who signs out meanwhile deletes the registration, and all that was issued to it.
    let known = setup.isStored ? try store.registration(of: flow.deployment) : nil
    let isGone = setup.isStored && known?.clientID != registration.clientID
    // A save that was reported as failed may have happened, and others may have gone on from it.
    let isChanged = first.map { $0 != before && !before.contains(session) } ?? false
    var saved = session
    if isChanged || isGone || before.contains(where: { isNewer($0, than: session) }) {
      switch api.check(session.accessToken) {
      case .works, .unclear: break
      case .rejected: return false
      case .noResponse:
        // With another client theirs is alive, and may have cost ours its registration.
        let isReplaced = before.contains {
          isNewer($0, than: session) && $0.clientID != session.clientID
        }
        if isReplaced { return false }
        // Nobody is handed what may be dead before a refresh has shown it.
        saved = session.marked(by: nil, since: services.clock.now)
      }
    }
    try keep(saved, in: store, before, isRegistered: setup.isStored && !isGone)
    return true
  }

  /// Looks whether the session that was saved is still there, and saves it again if somebody has
  /// written over it who did not know of it.
  ///
  /// - Parameters:
  ///   - store: the keyring.
  ///   - before: what is stored.
  ///   - former: what was stored before the first save.
  ///   - wasExclusive: whether everybody else was excluded from that save.
  /// - Returns: whether the session lives.
  /// - Throws: the keyring's error.
  private func lookAfter(
    in store: any SessionStore, _ before: [StoredSession], _ former: [StoredSession],
    wasExclusive: Bool
  ) throws(StoreError) -> Bool {
    let stored = before.first { $0.account == session.account }
    if let stored, isSuccessor(stored, of: former) {
      // Whoever kept the lock for long may have deleted the client that the session belongs to.
      guard !wasExclusive, stored.accessToken == session.accessToken, api.rejects(session) else {
        return true
      }
      try store.save(stored.marked(by: nil, since: services.clock.now))
      return false
    }
    if let stored, former.contains(where: { $0.signedInAt == stored.signedInAt }) {
      // Who looked before our save has written after it.
      if api.rejects(session) { return false }
    } else {
      // Somebody has signed in anew, or out.
      if let stored, !api.rejects(stored) { return false }
      guard case .works = api.check(session.accessToken) else { return false }
    }
    let known = try store.registration(of: flow.deployment)
    try keep(session, in: store, before, isRegistered: known?.clientID == registration.clientID)
    return true
  }

  private func keep(
    _ session: StoredSession, in store: any SessionStore, _ before: [StoredSession],
    isRegistered: Bool
  ) throws(StoreError) {
    if !isRegistered { try store.save(registration) }
    try store.save(session)
    services.history.save(RefreshHistory(), of: session.identity)
    // The one without a name now has it: two would be a question at every request.
    if !session.account.isEmpty, before.contains(where: \.account.isEmpty) {
      try store.removeSessions(of: flow.deployment, account: "")
    }
  }

  /// Whether what is stored is our session, or what a refresh made of it, rather than one that was
  /// there before.
  private func isSuccessor(_ stored: StoredSession, of former: [StoredSession]) -> Bool {
    if stored.account != session.account { return false }
    if stored.accessToken == session.accessToken { return true }
    return stored.clientID == session.clientID && stored.signedInAt == session.signedInAt
      && !former.contains { $0.signedInAt == session.signedInAt }
  }

  /// Whether another sign-in of the same person came after the one that brought a session, and may
  /// have ended it.
  private func isNewer(_ other: StoredSession, than session: StoredSession) -> Bool {
    guard let others = other.signedInAt, let ours = session.signedInAt else { return false }
    return other.account == session.account && other.accessToken != session.accessToken
      && others >= ours
  }

  /// Whether a session without a name is the same person's: the deployment says so, or has ended it
  /// by this sign-in.
  private func isNamelessSession() throws(LoginError) -> Bool {
    guard !session.account.isEmpty else { return true }
    let nameless = try flow.storing { store throws(StoreError) in
      try store.sessions(of: flow.deployment, account: "")
        .first { $0.account.isEmpty && $0.method == .oauth }
    }
    guard let nameless else { return false }
    return switch api.check(nameless.accessToken) {
    case .works(let name): name == session.account
    case .rejected: nameless.clientID == session.clientID
    case .unclear, .noResponse: false
    }
  }
}

extension DeploymentAPI {
  /// Whether the deployment rejects a session's access token.
  func rejects(_ session: StoredSession) -> Bool {
    switch check(session.accessToken) {
    case .rejected: true
    case .works, .unclear, .noResponse: false
    }
  }
}

extension LoginFlow {
  /// How long to go on trying, in milliseconds.
  private static let perseveringTimeoutMilliseconds: Int64 = 30_000

  /// Does something that needs the keyring, and again while the keyring fails.
  func persevering<Value>(
    _ body: () throws(LoginError) -> Value
  ) throws(LoginError) -> Value {
    let deadline = services.clock.uptimeMilliseconds + Self.perseveringTimeoutMilliseconds
    while true {
      do throws(LoginError) {
        return try body()
      } catch {
        guard case .session(.store(let failure)) = error,
          services.clock.uptimeMilliseconds < deadline
        else { throw error }
        if failure.isLocked {
          try storing { store throws(StoreError) in try store.unlock() }
        }
        services.clock.sleep(milliseconds: 300)
      }
    }
  }
}
