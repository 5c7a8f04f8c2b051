import Credentials
import Sessions

/// What a person is told of one session: how it stands, and what to do about it.
struct SessionSummary {
  let entry: SessionEntry
  private let now: Int64

  init(_ entry: SessionEntry, now: Int64) {
    self.entry = entry
    self.now = now
  }

  private var session: StoredSession? {
    if case .session(let session) = entry.content { session } else { nil }
  }

  /// Whether it is a password kept for git.
  var isPassword: Bool {
    session.map { $0.method == .basic } ?? entry.isKeptForGit
  }

  /// Whether it gets new tokens by itself.
  var renews: Bool { session?.method == .oauth && session?.refreshToken != nil }

  /// How it stands, in a few words.
  var state: String {
    switch entry.content {
    case .session(let session):
      if session.isAlive(now: now) { return renews ? "valid, renews" : "valid" }
      return renews ? "renews when used" : "ended, sign in"
    case .locked: return "locked"
    case .lost: return "lost, sign in"
    case .unreadable: return "unreadable"
    }
  }

  /// How much a person should care.
  var attention: TerminalStyle.Attention? {
    switch entry.content {
    case .session(let session):
      if session.hasEnded(now: now) { return .needed }
      return session.endsSoon(now: now) ? .worthKnowing : nil
    case .locked: return .worthKnowing
    case .lost, .unreadable: return .needed
    }
  }

  /// When the token expires; nil when nobody knows.
  var expiry: String? { session?.expiresAt.map { LocalTime.text($0, now: now) } }

  /// How far away that is.
  var distanceToExpiry: String? { session?.expiresAt.map { LocalTime.distance($0, now: now) } }

  /// When the session itself ends unless it is used before; nil when its end is that of its token,
  /// or nobody knows it.
  var end: String? {
    guard renews, let session, !session.hasEnded(now: now) else { return nil }
    return session.endsAt.map { LocalTime.text($0, now: now) }
  }

  /// What the person has to do; nil when nothing.
  var task: String? {
    let flag = entry.account.isEmpty ? "" : Failure.flag(account: entry.account)
    let login = "coder-cred login \(entry.deployment)\(flag)"
    switch entry.content {
    case .session(let session):
      if session.method == .basic { return nil }
      if session.hasEnded(now: now) { return login }
      guard session.endsSoon(now: now), let end = session.endsAt else { return nil }
      let distance = LocalTime.distance(end, now: now)
      return renews
        ? "use it before it ends \(distance): coder-cred refresh \(entry.deployment)\(flag)"
        : "sign in before it ends \(distance): \(login)"
    case .locked(let error):
      let failure = Failure(error)
      return failure.hint.map { "\(failure.message): \($0)" } ?? failure.message
    case .lost: return login
    case .unreadable(.newerPayload):
      return "upgrade coder-cred: a newer version has written this"
    case .unreadable:
      return "to remove what cannot be read: coder-cred logout \(entry.deployment)\(flag) --force"
    }
  }
}

extension StoredSession {
  /// Whether its token's time is over, or nearly so: clocks agree to the second only.
  func isExpiring(now: Int64) -> Bool { secondsLeft(now: now).map { $0 <= 1 } ?? false }
}
