import Credentials
import Login
import Sessions

/// What `logout` goes through, and what it says.
struct LogoutFlow {
  let context: CommandContext
  let keepsRegistration: Bool
  let revokesTokens: Bool

  /// Signs out of one deployment: one account, or all.
  func from(_ deployment: Deployment, account: String?, all: Bool) throws {
    let entries = try context.store.entries(of: deployment)
    let sessions = try sessions(in: entries).filter { AccountMatch.isExact(account, $0.account) }
    try refuseUnreadable(entries.filter { AccountMatch.isExact(account, $0.account) })
    if sessions.count > 1, !all, account == nil {
      let names = sessions.map(\.account).sorted().joined(separator: ", ")
      throw Failure(
        .fixTheCall, "several accounts are signed in to \(deployment.url): \(names)",
        hint: "choose one with --account NAME, or all with --all")
    }
    var summary = LogoutSummary()
    try leave(deployment, sessions, &summary)
    if try context.store.removeLostSessions(of: deployment, account: account) > 0 {
      Terminal.say("Removed what the keyring had lost of a session with \(deployment.url).")
    } else if sessions.isEmpty {
      let who = account.map { " as \($0)" } ?? ""
      Terminal.say("Nobody is signed in to \(deployment.url)\(who).")
    }
    for session in sessions {
      let who = session.account.isEmpty ? "" : " as \(session.account)"
      Terminal.say("Signed out of \(deployment.url)\(who).")
    }
    try summary.finish()
  }

  /// Signs out of every deployment, whatever becomes of any one of them.
  func everywhere() throws {
    let entries = try context.store.entries(of: nil)
    let registered = try context.store.deploymentsWithRegistration()
    let sessions = try sessions(in: entries)
    var summary = LogoutSummary()
    for url in Set(entries.map(\.deployment) + registered).sorted() {
      guard let deployment = try? Deployment(url: url) else { continue }
      try summary.collect {
        try leave(deployment, sessions.filter { $0.deployment == deployment }, &$0)
        _ = try context.store.removeLostSessions(of: deployment, account: nil)
      }
    }
    try summary.collect { _ in try refuseUnreadable(entries) }
    if sessions.isEmpty {
      Terminal.say("Nobody is signed in.")
    } else {
      let places = Set(sessions.map(\.deployment)).count
      Terminal.say(
        "Signed out of \(summary.sessions) of \(sessions.count) sessions with \(places) "
          + "deployments.")
    }
    try summary.finish()
  }

  private func leave(
    _ deployment: Deployment, _ sessions: [StoredSession], _ summary: inout LogoutSummary
  ) throws {
    // Who is just signing in needs the registration.
    let noLogin = LoginLock.takeIfFree(deployment, in: context.directory)
    defer { noLogin?.release(hasFailed: false) }
    let revocation = SessionRevocation(
      services: try context.services(), deployment: deployment,
      keepsRegistration: keepsRegistration || noLogin == nil, revokesForeignTokens: revokesTokens)
    for session in sessions {
      for item in try revocation.end(session) { summary.note(Failure(item, at: deployment)) }
      summary.sessions += 1
      if session.method == .token && !revokesTokens {
        Terminal.say(
          "The token for \(deployment.url) is removed from this machine, not revoked: it may be "
            + "another program's too (--revoke would).")
      }
    }
    for item in try revocation.endLeftOverRegistration() {
      summary.note(Failure(item, at: deployment))
    }
  }

  /// Sessions with a deployment; passwords are git's.
  ///
  /// - Throws: when anything is locked, so that nothing is half done.
  private func sessions(in entries: [SessionEntry]) throws(StoreError) -> [StoredSession] {
    var sessions: [StoredSession] = []
    for entry in entries {
      switch entry.content {
      case .session(let session) where session.method != .basic: sessions.append(session)
      case .locked(let error): throw error
      case .session, .lost, .unreadable: break
      }
    }
    return sessions
  }

  /// What is not ours to use is not ours to remove.
  private func refuseUnreadable(_ entries: [SessionEntry]) throws(StoreError) {
    for entry in entries {
      guard case .unreadable(let error) = entry.content else { continue }
      throw .unreadable(label: "\(entry.account) @ \(entry.deployment)", error)
    }
  }
}

/// What signing out has achieved so far, and the worst of what it has not.
struct LogoutSummary {
  var sessions = 0
  private var worst: Failure?

  /// Does a part, and notes its failure instead of passing it on.
  mutating func collect(_ part: (inout LogoutSummary) throws -> Void) throws {
    do {
      try part(&self)
    } catch {
      guard let failure = Failure(translating: error) else { throw error }
      note(failure)
    }
  }

  mutating func note(_ failure: Failure) {
    Terminal.warn(failure.message)
    if failure.exitStatus > worst?.exitStatus ?? 0 { worst = failure }
  }

  /// Ends with the worst exit status; everything has been said.
  func finish() throws(Failure) {
    guard var worst else { return }
    worst.isSilent = true
    throw worst
  }
}
