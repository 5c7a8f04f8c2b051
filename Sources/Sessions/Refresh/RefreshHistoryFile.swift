import Glibc

/// Where the history of a session's refreshes is kept, read and written under the session's lock.
package protocol RefreshHistoryStore {
  /// The history of a session; an empty one when nothing is known.
  func history(of session: SessionIdentity) -> RefreshHistory
  /// Keeps the history of a session. A failed write is no error: it loses only backoff state.
  func save(_ history: RefreshHistory, of session: SessionIdentity)
}

/// Histories in files of the runtime directory, beside the lock.
package struct RefreshHistoryFiles: RefreshHistoryStore {
  private let directory: RuntimeDirectory

  /// Keeps the files in a directory.
  package init(directory: RuntimeDirectory) {
    self.directory = directory
  }

  package func history(of session: SessionIdentity) -> RefreshHistory {
    file(of: session)?.numbers().flatMap { RefreshHistory(numbers: $0) } ?? RefreshHistory()
  }

  /// Replaces the file in one step.
  package func save(_ history: RefreshHistory, of session: SessionIdentity) {
    file(of: session)?.write(history.numbers)
  }

  /// Removes the history of a session that is no more; its lock stays, for others may wait at it.
  package func remove(of session: SessionIdentity) {
    if let file = file(of: session) { unlink(file.path) }
  }

  private func file(of session: SessionIdentity) -> NumberFile? {
    (try? directory.file(about: session.lockName, suffix: "history"))
      .map { NumberFile(path: $0.path, version: 3) }
  }
}

extension RefreshHistory {
  /// The history as a line of numbers.
  fileprivate var numbers: [Int64] {
    [failures, failedAt, retryAt, forcedAt, forcedToken, rediscoveredAt, refusals]
  }

  /// Reads the numbers; nil for what no history can hold.
  fileprivate init?(numbers: [Int64]) {
    guard numbers.count == 7 else { return nil }
    self.init(
      failures: numbers[0], failedAt: numbers[1], retryAt: numbers[2], forcedAt: numbers[3],
      forcedToken: numbers[4], rediscoveredAt: numbers[5], refusals: numbers[6])
  }
}
