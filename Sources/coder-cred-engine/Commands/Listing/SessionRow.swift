import Credentials
import FoundationEssentials
import Sessions

/// One session as `list` and `status` show it to programs.
struct SessionRow: Encodable {
  /// Its deployment's URL; empty where a locked keyring does not tell.
  let deployment: String
  /// Whose it is; empty when nobody knows.
  let account: String
  /// `oauth`, `token` or `basic`; nil when it cannot be read.
  let method: String?
  /// `valid`, `due`, `ended`, `locked`, `lost` or `unreadable`.
  let state: String
  /// When the token expires, in RFC 3339.
  let expires_at: String?

  init(_ entry: SessionEntry, now: Int64) {
    deployment = entry.deployment
    account = entry.account
    switch entry.content {
    case .session(let session):
      method = session.method.rawValue
      state = session.state(now: now)
      expires_at = session.expiresAt.map(Self.moment)
    case .locked:
      (method, state, expires_at) = (nil, "locked", nil)
    case .lost:
      (method, state, expires_at) = (nil, "lost", nil)
    case .unreadable:
      (method, state, expires_at) = (nil, "unreadable", nil)
    }
  }

  /// Unix seconds as RFC 3339 has them.
  static func moment(_ seconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
  }

  /// The rows as a table for programs: its columns and words stay.
  static func table(_ rows: [SessionRow]) -> String {
    guard !rows.isEmpty else { return "" }
    let header = ["DEPLOYMENT", "ACCOUNT", "METHOD", "STATE", "EXPIRES"]
    let cells = rows.map { row in
      [row.deployment, row.account, row.method ?? "-", row.state, row.expires_at ?? "-"]
        .map { $0.isEmpty ? "-" : Terminal.clean($0) }
    }
    return TextTable([header] + cells).lines.map { $0 + "\n" }.joined()
  }
}

extension StoredSession {
  /// What a get would do with it, in a word.
  fileprivate func state(now: Int64) -> String {
    if isAlive(now: now) { return "valid" }
    return method == .oauth && refreshToken != nil ? "due" : "ended"
  }
}
