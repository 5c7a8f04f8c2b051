/// How the account that a caller names is compared with the one that is stored.
///
/// A stored account may be empty: nobody knows whose the session is. It serves whoever asks, and is
/// removed or counted only when no account is named, or the empty one.
public enum AccountMatch {
  /// Whether a session stored for `account` may serve a caller who names `asked`, or nobody (nil).
  public static func serves(_ asked: String?, with account: String) -> Bool {
    account.isEmpty || isExact(asked, account)
  }

  /// Whether a caller who names `asked`, or nobody (nil), means precisely the sessions of `account`.
  public static func isExact(_ asked: String?, _ account: String) -> Bool {
    asked.map { $0 == account } ?? true
  }
}

extension CredentialRequest {
  /// Whether a stored session may be handed out for this request.
  ///
  /// A session serves its deployment and whatever lies below it. A plain credential serves what it
  /// was stored for, as git's own helpers have it: what a request does not name, path or user name,
  /// may be anything, and what it names must be the same.
  public func isServed(by session: StoredSession) -> Bool {
    if isForPasswordAlone, session.password == nil { return false }
    guard session.isPlain else {
      return deployment.withParents.contains(session.deployment)
        && AccountMatch.serves(username, with: session.account)
    }
    return isPlace(of: session) && AccountMatch.isExact(username, session.account)
      && (session.password != nil || understandsAuthtype)
  }

  private func isPlace(of session: StoredSession) -> Bool {
    if session.deployment == place { return true }
    if isInGitsFormat, session.deployment.lies(on: place) { return true }
    // A token that somebody stored for a deployment serves what lies below it.
    return session.method == .token && deployment.withParents.contains(session.deployment)
  }
}
