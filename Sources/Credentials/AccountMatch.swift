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
  /// A session serves its deployment and whatever lies below it. A password serves the path and the
  /// user name that it was stored for and no other, as git's own helpers have it.
  public func isServed(by session: StoredSession) -> Bool {
    guard session.method != .basic else {
      return session.deployment == deployment && AccountMatch.isExact(username, session.account)
    }
    return deployment.withParents.contains(session.deployment)
      && AccountMatch.serves(username, with: session.account)
  }
}
