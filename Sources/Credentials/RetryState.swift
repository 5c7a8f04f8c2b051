import Basics
import Secrets

/// What we give git to bring back when a token is refused (git-credential(1), `state[]`): which of a
/// session's tokens it was.
///
/// git-credential(1) on `continue`: with it, an output that the server refuses leads to another
/// `get` instead of an `erase`, so that the same fetch can go on with a refreshed token.
public struct RetryState: Sendable, Equatable {
  /// The first half of the token's SHA-256 in hexadecimal digits: no two tokens share it, and it
  /// tells nothing of them.
  private let digest: String

  /// git-credential(1): "it is recommended that helpers prefix their state with their name".
  private static let prefix = "coder-cred:"

  /// The state of a session's present token; nil when none could follow it.
  public init?(of session: StoredSession) {
    guard session.method == .oauth, session.refreshToken != nil else { return nil }
    digest = Self.digest(of: session)
  }

  /// Reads one of git's `state[]` values; nil when it is another helper's, or not ours.
  public init?(_ text: String) {
    guard text.utf8.starts(with: Self.prefix.utf8) else { return nil }
    let digits = text.utf8.dropFirst(Self.prefix.utf8.count)
    guard digits.count == 32, digits.allSatisfy({ PercentEncoding.hexDigit($0) != nil }) else {
      return nil
    }
    digest = String(decoding: digits, as: UTF8.self)
  }

  /// The value of `state[]`.
  public var text: String { Self.prefix + digest }

  /// Whether a session still holds the token that this state went with.
  public func isPresent(in session: StoredSession) -> Bool {
    digest == Self.digest(of: session)
  }

  private static func digest(of session: StoredSession) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let bytes = SHA256.digest(session.accessToken)[..<16]
    return String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
