import Glibc

/// Where the history of a session's refreshes is kept, read and written under the session's lock.
package protocol RefreshHistoryStore {
  /// The history of a session; an empty one when nothing is known.
  func history(of session: SessionIdentity) -> RefreshHistory
  /// Keeps the history of a session. A failed write is no error: it loses only backoff state.
  func save(_ history: RefreshHistory, of session: SessionIdentity)
}

/// Histories in files of the runtime directory: one line of numbers each, beside the lock.
package struct RefreshHistoryFiles: RefreshHistoryStore {
  private static let version: Int64 = 3
  private static let maximumBytes = 256

  private let directory: RuntimeDirectory

  /// Keeps the files in a directory.
  package init(directory: RuntimeDirectory) {
    self.directory = directory
  }

  package func history(of session: SessionIdentity) -> RefreshHistory {
    guard let path = path(of: session) else { return RefreshHistory() }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return RefreshHistory() }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(),
      status.st_mode & S_IFMT == S_IFREG
    else { return RefreshHistory() }
    var bytes = [UInt8](repeating: 0, count: Self.maximumBytes)
    let count = read(descriptor, &bytes, bytes.count)
    guard count > 0, count < bytes.count, bytes[count - 1] == UInt8(ascii: "\n") else {
      return RefreshHistory()
    }
    let words = bytes[..<(count - 1)].split(
      separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    let numbers = words.compactMap { Int64(String(decoding: $0, as: UTF8.self)) }
    guard words.count == numbers.count, numbers.first == Self.version else {
      return RefreshHistory()
    }
    return RefreshHistory(numbers: numbers.dropFirst()) ?? RefreshHistory()
  }

  /// Replaces the file in one step.
  package func save(_ history: RefreshHistory, of session: SessionIdentity) {
    guard let path = path(of: session) else { return }
    let draft = "\(path).\(getpid())"
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
    let descriptor = open(draft, flags, 0o600)
    guard descriptor >= 0 else { return }
    let words = ([Self.version] + history.numbers).map { String($0) }
    let line = Array((words.joined(separator: " ") + "\n").utf8)
    let isWritten = write(descriptor, line, line.count) == line.count
    close(descriptor)
    if !isWritten || rename(draft, path) != 0 { unlink(draft) }
  }

  /// Removes the history of a session that is no more; its lock stays, for others may wait at it.
  package func remove(of session: SessionIdentity) {
    if let path = path(of: session) { unlink(path) }
  }

  private func path(of session: SessionIdentity) -> String? {
    try? directory.file(about: session.lockName, suffix: "history").path
  }
}

extension RefreshHistory {
  /// The history as a line of numbers.
  fileprivate var numbers: [Int64] {
    [failures, failedAt, retryAt, forcedAt, forcedToken, rediscoveredAt, refusals]
  }

  /// Reads the numbers; nil for what no history can hold.
  fileprivate init?(numbers: ArraySlice<Int64>) {
    let numbers = Array(numbers)
    guard numbers.count == 7, numbers.allSatisfy((0...(Int64.max / 4)).contains) else {
      return nil
    }
    self.init(
      failures: numbers[0], failedAt: numbers[1], retryAt: numbers[2], forcedAt: numbers[3],
      forcedToken: numbers[4], rediscoveredAt: numbers[5], refusals: numbers[6])
  }
}
