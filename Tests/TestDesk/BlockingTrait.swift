import Foundation
package import Testing

/// Runs the tests of a suite on threads of their own, several at once.
///
/// Tests that wait for processes block their thread, and Swift Testing's pool has as many threads as
/// the machine has cores: with two, all tests would wait while two wait.
package struct BlockingTrait: SuiteTrait, TestScoping {
  /// Child tasks, and so all tests of the suite, inherit the preference.
  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(ThreadPool.shared) { try await function() }
  }
}

extension Trait where Self == BlockingTrait {
  /// The tests of this suite block.
  package static var blocking: Self { Self() }
}

/// A fixed number of threads that run what is enqueued, in order.
private final class ThreadPool: TaskExecutor, @unchecked Sendable {
  /// Two for each core: what most tests do most of the time is wait. More would make processes late
  /// that have little time, such as the fast path, which gives up a lookup after half a second.
  static let shared = ThreadPool(threads: 2 * ProcessInfo.processInfo.activeProcessorCount)

  private let condition = NSCondition()
  private var jobs: [UnownedJob] = []

  private init(threads: Int) {
    for _ in 0..<threads {
      let thread = Thread { [self] in
        while true { next().runSynchronously(on: asUnownedTaskExecutor()) }
      }
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    condition.lock()
    jobs.append(job)
    condition.signal()
    condition.unlock()
  }

  private func next() -> UnownedJob {
    condition.lock()
    defer { condition.unlock() }
    while jobs.isEmpty { condition.wait() }
    return jobs.removeFirst()
  }
}
