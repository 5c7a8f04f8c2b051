package import Secrets

/// How often a deployment was lately asked whether one access token works, so that a tool which asks
/// for a verified token with each of its requests does not cost the deployment a request each.
///
/// A few checks in a row are made all the same: a tool that asks again after a 401 cannot be told from
/// one that asks each time, and needs the check most.
package struct VerificationHistory: Equatable, Sendable {
  /// How many checks of one token are made in one ``interval``.
  package static let limit: Int64 = 6
  /// How long checks are counted together, in milliseconds since start-up, suspension included.
  package static let interval: Int64 = 60_000

  /// Which access token was checked (``RefreshHistory/identifier(of:)``); 0 for none.
  fileprivate var token: Int64 = 0
  /// When the first of the checks was made that are counted.
  fileprivate var since: Int64 = 0
  /// How many there were.
  fileprivate var count: Int64 = 0

  /// Nothing was checked yet.
  package init() {}

  fileprivate init(token: Int64, since: Int64, count: Int64) {
    (self.token, self.since, self.count) = (token, since, count)
  }

  /// Whether the deployment may be asked about a token.
  package func mayAsk(about token: Secret, now: Int64) -> Bool {
    !isCounting(RefreshHistory.identifier(of: token), now) || count < Self.limit
  }

  /// Notes that it was asked, and did not refuse the token.
  package mutating func note(_ token: Secret, now: Int64) {
    let identifier = RefreshHistory.identifier(of: token)
    guard isCounting(identifier, now) else {
      self = Self(token: identifier, since: now, count: 1)
      return
    }
    count = min(count + 1, Self.limit)
  }

  private func isCounting(_ token: Int64, _ now: Int64) -> Bool {
    self.token == token && since <= now && now - since < Self.interval
  }
}

/// These histories in files of the runtime directory, beside the session's lock but not under it: one
/// that is lost costs a request.
package struct VerificationHistoryFiles {
  private let directory: RuntimeDirectory

  /// Keeps the files in a directory.
  package init(directory: RuntimeDirectory) {
    self.directory = directory
  }

  /// The history of a session's tokens; an empty one when nothing is known.
  package func history(of session: SessionIdentity) -> VerificationHistory {
    guard let numbers = file(of: session)?.numbers(), numbers.count == 3 else {
      return VerificationHistory()
    }
    return VerificationHistory(token: numbers[0], since: numbers[1], count: numbers[2])
  }

  /// Keeps the history of a session's tokens.
  package func save(_ history: VerificationHistory, of session: SessionIdentity) {
    file(of: session)?.write([history.token, history.since, history.count])
  }

  private func file(of session: SessionIdentity) -> NumberFile? {
    (try? directory.file(about: session.lockName, suffix: "checks"))
      .map { NumberFile(path: $0.path, version: 1) }
  }
}
