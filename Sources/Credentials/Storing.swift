extension CredentialRequest {
  /// The session that `store` is told of.
  ///
  /// - Parameter now: the time in Unix seconds.
  /// - Returns: nil when there is nothing to keep: no secret, one that has expired, or one that is
  ///   ephemeral, which git-credential(1) says "should not be saved".
  public func session(now: Int64) -> StoredSession? {
    guard !isEphemeral, expiresAt.map({ $0 > now }) ?? true else { return nil }
    var session: StoredSession
    if let authtype, let credential {
      session = StoredSession(
        deployment: deployment, account: username ?? "", method: .token, accessToken: credential)
      session.tokenType = authtype
    } else if let username, let password {
      session = StoredSession(
        deployment: deployment, account: username, method: .basic, accessToken: password)
    } else {
      return nil
    }
    session.expiresAt = expiresAt
    session.refreshToken = refreshToken
    return session
  }
}

extension StoredSession {
  /// Whether another session of the same account tells nothing that this one does not: then nothing
  /// needs writing.
  public func hasSameCredential(as other: StoredSession) -> Bool {
    account == other.account && method == other.method && accessToken == other.accessToken
      && tokenType == other.tokenType && expiresAt == other.expiresAt
      && refreshToken == other.refreshToken && staleSince == nil
  }
}
