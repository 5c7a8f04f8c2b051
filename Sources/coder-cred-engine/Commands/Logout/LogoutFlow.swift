import Credentials
import Login
import Sessions

/// What `logout` goes through, and what it says.
struct LogoutFlow {
  let context: CommandContext
  let keepsRegistration: Bool
  let revokesTokens: Bool
  /// Whether items that cannot be read are removed, too.
  let removesUnreadable: Bool

  /// Signs out of one deployment: one account, or all.
  func from(_ deployment: Deployment, account: String?, all: Bool) throws {
    let stored = try StoredThere(
      try context.store.entries(of: deployment)
        .filter { AccountMatch.isExact(account, $0.account) })
    if !removesUnreadable { try stored.refuseUnreadable() }
    let sessions = stored.sessions
    // A password is git's: it goes only when nothing else can be meant.
    let passwords = sessions.isEmpty || account != nil ? stored.passwords : []
    let meant = sessions + passwords
    if meant.count > 1, !all, account == nil { throw Self.several(meant, at: deployment) }
    var summary = LogoutSummary()
    for entry in stored.unreadable { try remove(entry, at: deployment) }
    try leave(deployment, sessions, &summary)
    for password in passwords { try remove(password) }
    if try context.store.removeLostSessions(of: deployment, account: account) > 0 {
      Terminal.say("Removed what the keyring had lost of a session with \(deployment.url).")
    } else if meant.isEmpty && stored.unreadable.isEmpty {
      let who = account.map { " as \($0)" } ?? ""
      Terminal.say("Nobody is signed in to \(deployment.url)\(who).")
      try sayWhatIsAbove(deployment, account)
    }
    for session in sessions {
      let who = session.account.isEmpty ? "" : " as \(session.account)"
      Terminal.say("Signed out of \(deployment.url)\(who).")
    }
    if removesUnreadable { try removeUnreadableRegistration(of: deployment) }
    context.forgetChoices(of: deployment)
    try summary.finish()
  }

  /// Signs out of every deployment, whatever becomes of any one of them. Passwords stay.
  func everywhere() throws {
    let stored = try StoredThere(context.store.entries(of: nil))
    let registered = try context.store.deploymentsWithRegistration()
    var summary = LogoutSummary()
    for url in Set(stored.deployments + registered).sorted() {
      guard let deployment = try? Deployment(url: url) else { continue }
      try summary.collect {
        if removesUnreadable {
          for entry in stored.unreadable where entry.deployment == url {
            try remove(entry, at: deployment)
          }
        }
        try leave(deployment, stored.sessions.filter { $0.deployment == deployment }, &$0)
        _ = try context.store.removeLostSessions(of: deployment, account: nil)
        if removesUnreadable { try removeUnreadableRegistration(of: deployment) }
      }
      context.forgetChoices(of: deployment)
    }
    if !removesUnreadable { try summary.collect { _ in try stored.refuseUnreadable() } }
    if stored.sessions.isEmpty {
      if stored.unreadable.isEmpty || !removesUnreadable { Terminal.say("Nobody is signed in.") }
    } else {
      let places = Set(stored.sessions.map(\.deployment)).count
      let share =
        summary.sessions == stored.sessions.count ? "" : "\(summary.sessions) of "
      Terminal.say(
        "Signed out of \(share)\(Self.count(stored.sessions.count, "session")) with "
          + "\(Self.count(places, "deployment")).")
    }
    sayWhatStays(stored.passwords)
    try summary.finish()
  }

  /// Tells of passwords that stay although a person signs out of everything that is meant: they are
  /// git's, and go one by one.
  func sayWhatStays() throws {
    sayWhatStays(
      try context.store.entries(of: nil).compactMap { entry in
        guard case .session(let session) = entry.content, session.method == .basic else {
          return nil
        }
        return session
      })
  }

  private func sayWhatStays(_ passwords: [StoredSession]) {
    guard let first = passwords.first else { return }
    let names = passwords.prefix(3).map { "\($0.account) at \($0.deployment.url)" }
    let more = passwords.count > 3 ? " and \(passwords.count - 3) more (coder-cred list)" : ""
    Terminal.say(
      "Kept for git: \(names.joined(separator: ", "))\(more); to remove: coder-cred logout "
        + first.deployment.url)
  }

  /// Tells what is stored for a parent path, where nothing is for the one that was named: it may be a
  /// page's or a repository's address, and is not signed out of on a guess.
  private func sayWhatIsAbove(_ deployment: Deployment, _ account: String?) throws {
    for place in deployment.withParents.dropFirst() {
      let entries = try context.store.entries(of: place)
        .filter { AccountMatch.isExact(account, $0.account) }
      guard let first = entries.first else { continue }
      let who = first.account.isEmpty ? "" : " of \(first.account)"
      let what = first.isKeptForGit ? "a password" : "a session"
      Terminal.say(
        "But \(what)\(who) is kept for \(place.url). To remove it: coder-cred logout \(place.url)")
      return
    }
  }

  private static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
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
    let line = ProgressLine("Signing out of \(deployment.url)", context.environment)
    defer { line?.end() }
    for session in sessions {
      for item in try revocation.end(session) { summary.note(Failure(item, at: deployment)) }
      summary.sessions += 1
      RefreshHistoryFiles(directory: context.directory).remove(of: session.identity)
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

  /// Removes a password that was kept for git.
  private func remove(_ password: StoredSession) throws {
    try context.services().withLock(of: password) { store throws(StoreError) in
      try store.removeSessions(of: password.deployment, account: password.account)
    }
    Terminal.say(
      "Removed the password of \(password.account) for \(password.deployment.url), kept for git.")
  }

  /// Removes an item that is not ours to use, because the person insists.
  private func remove(_ entry: SessionEntry, at deployment: Deployment) throws {
    try context.store.removeSessions(of: deployment, account: entry.account)
    let who = entry.account.isEmpty ? "" : " as \(entry.account)"
    Terminal.say(
      "Removed the keyring item of the session with \(deployment.url)\(who), which could not be "
        + "read. Tokens in it could not be revoked; they stay valid until they expire.")
  }

  /// Removes a registration that cannot be read, once no session needs it.
  private func removeUnreadableRegistration(of deployment: Deployment) throws(StoreError) {
    do throws(StoreError) {
      _ = try context.store.registration(of: deployment)
    } catch {
      guard case .unreadable = error else { throw error }
      guard try context.store.entries(of: deployment).allSatisfy({ !$0.mayHoldToken }) else {
        return
      }
      try context.store.removeRegistration(of: deployment)
      Terminal.say(
        "Removed the keyring item of this machine's OAuth client, which could not be read. "
          + "\(deployment.url) still has the client registered.")
    }
  }

  private static func several(_ sessions: [StoredSession], at deployment: Deployment) -> Failure {
    let names = sessions.map(\.account).sorted()
    let what =
      sessions[0].method == .basic
      ? "several passwords are kept for" : "several accounts are signed in to"
    return Failure(
      .fixTheCall, "\(what) \(deployment.url): \(names.joined(separator: ", "))",
      hint: "coder-cred logout \(deployment.url)\(Failure.flag(account: names[0])), or all of them "
        + "with --all")
  }
}

/// What is stored for one deployment, or for all, by what signing out does with it.
private struct StoredThere {
  /// Sessions with a deployment.
  private(set) var sessions: [StoredSession] = []
  /// Passwords kept for git.
  private(set) var passwords: [StoredSession] = []
  /// Items that are not ours to use.
  private(set) var unreadable: [SessionEntry] = []
  /// Where something is stored.
  let deployments: [String]

  /// Sorts what is stored.
  ///
  /// - Throws: when anything is locked, so that nothing is half done.
  init(_ entries: [SessionEntry]) throws(StoreError) {
    deployments = entries.map(\.deployment)
    for entry in entries {
      switch entry.content {
      case .session(let session) where session.method == .basic: passwords.append(session)
      case .session(let session): sessions.append(session)
      case .locked(let error): throw error
      case .unreadable: unreadable.append(entry)
      case .lost: break
      }
    }
  }

  /// What is not ours to use is not ours to remove, unless the person insists.
  func refuseUnreadable() throws(StoreError) {
    for entry in unreadable {
      guard case .unreadable(let error) = entry.content else { continue }
      throw .unreadable(
        label: "\(entry.account) @ \(entry.deployment)", error, deployment: entry.deployment,
        account: entry.account)
    }
  }
}
