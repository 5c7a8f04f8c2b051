import ArgumentParser
import Credentials
import Sessions

/// `erase`: a credential was rejected, or a person takes it back.
struct EraseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "erase",
    abstract: "Take a rejected credential back, given as git-credential attributes.",
    discussion: """
      With a secret, only a session that holds this very secret is touched: an OAuth session will \
      be refreshed at the next get, anything else is removed. Without a secret, every matching \
      session is removed.
      """)

  @OptionGroup var options: CredentialOptions

  func run() throws {
    let context = CommandContext()
    var request = try CredentialRequest(fromStandardInput: context)
    request.username = request.username ?? options.account
    try erase(request, context)
  }

  private func erase(_ request: CredentialRequest, _ context: CommandContext) throws {
    context.store.allowPrompts()
    guard let secret = request.secret else {
      // What another program or a newer version wrote is reported, and not ours to delete.
      let matching = try context.store.sessions(
        of: request.deployment, account: request.username)
      for session in matching
      where AccountMatch.isExact(request.username, session.account) {
        try remove(session, context)
      }
      _ = try context.store.removeLostSessions(
        of: request.deployment, account: request.username)
      return
    }
    for deployment in request.deployment.withParents {
      let sessions = try context.store.sessions(of: deployment, account: request.username)
      for session in sessions where session.accessToken == secret {
        try reject(session, context)
      }
    }
  }

  /// Removes a session; a refresh of it that is under way must not bring it back.
  private func remove(_ session: StoredSession, _ context: CommandContext) throws {
    try context.services().withLock(of: session) { store throws(StoreError) in
      try store.removeSessions(of: session.deployment, account: session.account)
    }
  }

  private func reject(_ session: StoredSession, _ context: CommandContext) throws {
    guard session.method == .oauth else { return try remove(session, context) }
    guard session.staleSince == nil else { return }
    // git erases tokens that it never tried: the refresh token stays, and nothing is revoked. The
    // lock keeps what a refresh under way brings from being overwritten.
    try context.services().withLock(of: session) { store throws(StoreError) in
      guard var current = try store.session(like: session),
        current.accessToken == session.accessToken
      else { return }
      current.staleSince = context.clock.now
      try store.save(current)
    }
  }
}
