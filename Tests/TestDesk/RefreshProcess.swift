import Foundation
import Glibc
package import Testing

/// The process that refreshes a session on behalf of the one that was asked.
extension Desk {
  /// The files of the locks that somebody holds.
  private func heldLocks() throws -> [String] {
    try runtimeFiles(".lock").filter { file in
      let descriptor = open(file, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { return false }
      // Closing the descriptor gives the lock back.
      defer { close(descriptor) }
      return flock(descriptor, LOCK_SH | LOCK_NB) != 0
    }
  }

  /// Whether somebody holds the lock of a session.
  package var isLocked: Bool { get throws { try !heldLocks().isEmpty } }

  /// The process that holds the lock of a session; nil when nobody does, or it has not said so yet.
  package func lockHolder() throws -> Int32? {
    for file in try heldLocks() {
      let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
      // Until the holder has said so, the file names the one before it, which has ended.
      if let holder = Int32(text.filter { $0 != "\n" }), kill(holder, 0) == 0 { return holder }
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
    while try isLocked {
      guard !deadline.hasPassed else {
        Issue.record("a refresh does not end", sourceLocation: sourceLocation)
        return
      }
      usleep(20_000)
    }
  }
}
