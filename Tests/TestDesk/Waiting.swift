import Foundation
package import Testing

/// Waits for something to become true; records an issue when it does not in time.
///
/// - Returns: whether it became true.
@discardableResult
package func waitFor(
  _ what: String, timeoutSeconds: Double = 60,
  sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
) rethrows -> Bool {
  if try eventually(timeoutSeconds: timeoutSeconds, condition) { return true }
  Issue.record("waited in vain for \(what)", sourceLocation: sourceLocation)
  return false
}

/// Whether something becomes true in time.
package func eventually(
  timeoutSeconds: Double = 60, _ condition: () throws -> Bool
) rethrows -> Bool {
  let deadline = Deadline(seconds: timeoutSeconds)
  while try !condition() {
    guard !deadline.hasPassed else { return false }
    usleep(3_000)
  }
  return true
}

/// Does the same work on many threads at once, and returns what each came to, in no order.
///
/// Throws the first error of the work; records an issue for threads that do not end in time.
package func concurrently<Value: Sendable>(
  _ count: Int, timeoutSeconds: Double = 120,
  sourceLocation: SourceLocation = #_sourceLocation, _ work: @escaping @Sendable () throws -> Value
) throws -> [Value] {
  let all = (0..<count).map { _ in Background(work) }
  let deadline = Deadline(seconds: timeoutSeconds)
  return try all.map {
    try $0.value(timeoutSeconds: deadline.secondsLeft, sourceLocation: sourceLocation)
  }
}

/// Work on a thread of its own.
package final class Background<Value: Sendable>: @unchecked Sendable {
  private let mutex = NSLock()
  private var result: Result<Value, any Error>?
  private let ended = DispatchSemaphore(value: 0)

  /// Starts the work.
  package init(_ work: @escaping @Sendable () throws -> Value) {
    Thread.detachNewThread { [self] in
      let result = Result { try work() }
      mutex.withLock { self.result = result }
      ended.signal()
    }
  }

  /// Waits for the end; throws what the work threw, and records an issue when it does not end.
  package func value(
    timeoutSeconds: Double = 120, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Value {
    if ended.wait(timeout: .now() + timeoutSeconds) == .success { ended.signal() }
    let result = mutex.withLock { self.result }
    return try #require(
      result, "the work did not end in \(timeoutSeconds) s", sourceLocation: sourceLocation
    ).get()
  }
}

/// Whether to repeat as often as the product's promises are stated, which takes many minutes:
/// `CODER_CRED_FULL=1` in the environment.
package let isFullRun = ProcessInfo.processInfo.environment["CODER_CRED_FULL"] == "1"

/// A number of rounds: few in every run, all of them in a full one.
package func rounds(_ few: Int, full: Int) -> Int { isFullRun ? full : few }
