import Credentials

/// Finds the session that a request means.
struct Lookup {
  let context: CommandContext

  /// The session for a request: of this deployment, else of the nearest parent path; of the account
  /// asked for; OAuth before a kept token, and a token before a password.
  ///
  /// - Returns: nil when nothing here is meant by the request.
  /// - Throws: a failure that names the choices when several accounts fit equally.
  func session(for request: CredentialRequest) throws(Failure) -> StoredSession? {
    for deployment in request.deployment.withParents {
      let stored = try context.keyring { store throws(StoreError) in
        try store.sessions(of: deployment, account: request.username)
      }
      let fitting = stored.filter(request.isServed(by:))
      if let session = try choose(among: fitting, account: request.username) { return session }
    }
    return nil
  }

  private func choose(
    among sessions: [StoredSession], account: String?
  ) throws(Failure) -> StoredSession? {
    let ranked = sessions.filter { $0.account == account }.nonEmpty ?? sessions
    for method in [StoredSession.Method.oauth, .token, .basic] {
      let candidates = ranked.filter { $0.method == method }
      guard let first = candidates.first else { continue }
      guard candidates.count == 1 else {
        let names = candidates.map(\.account).sorted().joined(separator: ", ")
        throw Failure(
          .fixTheCall, "several accounts are signed in to \(first.deployment.url): \(names)",
          hint: "choose one with --account NAME, or with credential.username in git")
      }
      return first
    }
    return nil
  }

  /// The deployment a command means: the one that is named, else the only one stored.
  func deployment(named url: String?) throws(Failure) -> Deployment {
    let configured = try context.configuration().text("default-deployment", for: nil)
    let named: Deployment?
    do throws(MalformedInput) {
      named = try DeploymentChoice.named(url, setting: configured) { context.environment[$0] }
    } catch {
      throw Failure(error)
    }
    guard let named else { return try onlyDeployment() }
    try context.requireConfidential(named)
    return named
  }

  private func onlyDeployment() throws(Failure) -> Deployment {
    let entries = try context.keyring { store throws(StoreError) in try store.entries() }
    // gnome-keyring does not even tell whose items they are before it was first unlocked.
    guard !entries.contains(where: \.isHidden) else { throw Failure(.locked) }
    let urls = Set(entries.filter(\.mayHoldToken).map(\.deployment)).sorted()
    guard let url = urls.first else {
      throw Failure(.signInAgain, "nobody is signed in", hint: "coder-cred login URL")
    }
    guard urls.count == 1, let deployment = try? Deployment(url: url) else {
      throw Failure(
        .fixTheCall, "no URL is given, and there are several: \(urls.joined(separator: ", "))",
        hint: "name one of them, or set CODER_URL")
    }
    return deployment
  }
}

extension SessionEntry {
  /// Whether it is locked so well that nobody can tell where it belongs.
  fileprivate var isHidden: Bool {
    if case .locked = content { deployment.isEmpty } else { false }
  }

  /// Whether it may be a session with a deployment, rather than a password kept for git.
  var mayHoldToken: Bool {
    switch content {
    case .session(let session): session.method != .basic
    case .locked: true
    case .unreadable: false
    }
  }
}

extension Array {
  fileprivate var nonEmpty: Self? { isEmpty ? nil : self }
}
