extension CredentialRequest {
  /// The plain credential that `store` is told of, in every form in which it came.
  ///
  /// - Parameter now: the time in Unix seconds.
  /// - Returns: nil when there is nothing to keep: no secret, one that has expired and cannot be
  ///   renewed, or one that is ephemeral, which git-credential(1) says "should not be saved".
  public func session(now: Int64) -> StoredSession? {
    guard !isEphemeral, refreshToken != nil || expiresAt.map({ $0 > now }) ?? true else {
      return nil
    }
    let encoded = isForPasswordAlone || authtype == nil ? nil : credential
    var session: StoredSession
    if let username, let password {
      session = StoredSession(
        deployment: place, account: username, method: .basic, accessToken: password)
      session.passwordCredential = encoded
    } else if let encoded {
      session = StoredSession(
        deployment: place, account: username ?? "", method: .token, accessToken: encoded)
    } else {
      return nil
    }
    if encoded != nil, let authtype { session.tokenType = authtype }
    session.isKeptForGit = session.method == .token
    session.expiresAt = expiresAt
    session.refreshToken = refreshToken
    return session
  }

  /// Whether what it tells of, as ``session(now:)`` has it, is what a session holds.
  public func isKept(_ told: StoredSession, in session: StoredSession) -> Bool {
    session.isPlain ? session.hasSameCredential(as: told) : tellsSecret(of: session)
  }
}

extension StoredSession {
  /// Whether another session of the same account tells nothing that this one does not: then nothing
  /// needs writing.
  public func hasSameCredential(as other: StoredSession) -> Bool {
    account == other.account && method == other.method && accessToken == other.accessToken
      && passwordCredential == other.passwordCredential && isPlain == other.isPlain
      && tokenType == other.tokenType && expiresAt == other.expiresAt
      && refreshToken == other.refreshToken && staleSince == nil
  }
}
