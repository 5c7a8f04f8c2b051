import ArgumentParser
import Credentials

/// `erase`: a credential was rejected, or a person takes it back.
struct Erase: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take a rejected credential back, given as git-credential attributes.",
    discussion: """
      With a secret, only a session that holds this very secret is touched: an OAuth session will \
      be refreshed at the next get, anything else is removed. Without a secret, every matching \
      session is removed.
      """)

  @OptionGroup var options: AnswerOptions

  func run() throws {
    let engine = Engine()
    var request = try CredentialRequest(fromStandardInput: engine)
    request.username = request.username ?? options.account
    try erase(request, engine)
  }

  private func erase(_ request: CredentialRequest, _ engine: Engine) throws(Failure) {
    guard let secret = request.secret else {
      // What another program or a newer version wrote is reported, and not ours to delete.
      let matching = try engine.keyring { store throws(StoreError) in
        try store.sessions(of: request.deployment, account: request.username)
      }
      for session in matching
      where request.username.map({ $0 == session.account }) ?? true {
        try remove(session, engine)
      }
      return
    }
    for deployment in request.deployment.withParents {
      let sessions = try engine.keyring { store throws(StoreError) in
        try store.sessions(of: deployment, account: request.username)
      }
      for session in sessions where session.accessToken == secret {
        try reject(session, engine)
      }
    }
  }

  /// Removes a session; a refresh of it that is under way must not bring it back.
  private func remove(_ session: StoredSession, _ engine: Engine) throws(Failure) {
    let lock = try RefreshLock(
      of: session.deployment, account: session.account, environment: engine.environment)
    try lock.hold { () throws(Failure) in
      try engine.keyring { store throws(StoreError) in
        try store.removeSessions(of: session.deployment, account: session.account)
      }
    }
  }

  private func reject(_ session: StoredSession, _ engine: Engine) throws(Failure) {
    guard session.method == .oauth else { return try remove(session, engine) }
    guard session.staleSince == nil else { return }
    // git erases tokens it never tried: the refresh token stays, and nothing is revoked. The lock
    // keeps a refresh that is under way from being overwritten with what it replaced.
    let lock = try RefreshLock(
      of: session.deployment, account: session.account, environment: engine.environment)
    try lock.hold { () throws(Failure) in
      let current = try engine.keyring { store throws(StoreError) in
        try store.session(like: session)
      }
      guard var current, current.accessToken == session.accessToken else { return }
      current.staleSince = engine.now()
      try engine.keyring { store throws(StoreError) in try store.save(current) }
    }
  }
}
