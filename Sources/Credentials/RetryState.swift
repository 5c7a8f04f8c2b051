/// What we give git to bring back when a token is refused (git-credential(1), `state[]`): which of a
/// session's tokens it was.
///
/// git-credential(1) on `continue`: with it, an answer that the server refuses leads to another
/// `get` instead of an `erase`, so that the same fetch can go on with a refreshed token.
public struct RetryState: Sendable, Equatable {
  /// When the token handed out was issued, in Unix seconds: no secret, and another for each token.
  public let issuedAt: Int64

  /// git-credential(1): "it is recommended that helpers prefix their state with their name".
  private static let prefix = "coder-cred:"

  /// The state of a session's present token; nil when none could follow it.
  public init?(of session: StoredSession) {
    guard session.method == .oauth, session.refreshToken != nil, let issuedAt = session.issuedAt
    else { return nil }
    self.issuedAt = issuedAt
  }

  /// Reads one of git's `state[]` values; nil when it is another helper's, or not ours.
  public init?(_ text: String) {
    guard text.utf8.starts(with: Self.prefix.utf8) else { return nil }
    let digits = text.utf8.dropFirst(Self.prefix.utf8.count)
    guard digits.allSatisfy(\.isASCIIDigit), let issuedAt = Int64(Substring(digits)) else {
      return nil
    }
    self.issuedAt = issuedAt
  }

  /// The value of `state[]`.
  public var text: String { "\(Self.prefix)\(issuedAt)" }

  /// Whether a session still holds the token that this state went with.
  public func isPresent(in session: StoredSession) -> Bool { session.issuedAt == issuedAt }
}
