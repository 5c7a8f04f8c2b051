import Glibc
package import Testing

/// The process that refreshes a session on behalf of the one that was asked.
extension Desk {
  /// The process that holds the lock of a session; nil when nobody does, or it has not said so yet.
  package func lockHolder() throws -> Int32? {
    for file in try runtimeFiles(".lock") {
      let descriptor = open(file, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      // Closing the descriptor gives the lock back.
      guard flock(descriptor, LOCK_SH | LOCK_NB) != 0 else { continue }
      var bytes = [UInt8](repeating: 0, count: 16)
      let count = max(0, pread(descriptor, &bytes, bytes.count, 0))
      return Int32(String(decoding: bytes[..<count].filter { $0 != 0x0A }, as: UTF8.self))
    }
    return nil
  }

  /// The process that refreshes, once it has taken the lock over from `child`.
  package func refreshProcess(
    of child: ChildProcess, timeoutSeconds: Double = 60,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Int32 {
    let deadline = Deadline(seconds: timeoutSeconds)
    while !deadline.hasPassed {
      if let holder = try lockHolder(), holder != child.pid { return holder }
      usleep(2_000)
    }
    return try #require(nil as Int32?, "nobody refreshes", sourceLocation: sourceLocation)
  }

  /// Waits until nobody refreshes any more.
  package func waitForRefreshes(
    timeoutSeconds: Double = 60, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let deadline = Deadline(seconds: timeoutSeconds)
    while try lockHolder() != nil {
      guard !deadline.hasPassed else {
        Issue.record("a refresh does not end", sourceLocation: sourceLocation)
        return
      }
      usleep(20_000)
    }
  }
}
