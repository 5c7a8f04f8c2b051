import Dispatch
import Foundation

/// Threads of which exactly one runs at a time, kept from run to run because starting a thread
/// costs more than a whole schedule.
///
/// Everything that the threads share is handed over with the turn, through a semaphore: no two ever
/// touch it at once.
final class Turns: @unchecked Sendable {
  private final class Worker: @unchecked Sendable {
    let semaphore = DispatchSemaphore(value: 0)
    var job: (() -> Void)?
  }

  private let workers: [Worker]
  private let driver = DispatchSemaphore(value: 0)

  /// Starts as many threads.
  init(count: Int) {
    workers = (0..<count).map { _ in Worker() }
    for worker in workers {
      let thread = Thread {
        while true {
          worker.semaphore.wait()
          guard let job = worker.job else { return }
          worker.job = nil
          job()
        }
      }
      thread.stackSize = 1 << 20
      thread.start()
    }
  }

  deinit {
    // Without a job a thread ends.
    for worker in workers { worker.semaphore.signal() }
  }

  /// Gives each thread its job, lets one begin, and waits until somebody calls ``end()``.
  func run(_ jobs: [() -> Void], first: Int) {
    for (worker, job) in zip(workers, jobs) { worker.job = job }
    workers[first].semaphore.signal()
    driver.wait()
  }

  /// Lets another thread go on.
  func wake(_ index: Int) { workers[index].semaphore.signal() }

  /// Sleeps until somebody wakes this thread; to be called on the thread itself.
  func sleep(_ index: Int) { workers[index].semaphore.wait() }

  /// Every job is done.
  func end() { driver.signal() }
}

/// What the signals do that the code under test holds back. Two runs of it that overlap, as here,
/// would leave its own handlers behind.
struct SignalActions {
  /// What they did before the first run.
  static let original = SignalActions()

  private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP]
  private let actions: [sigaction]

  private init() {
    actions = Self.signals.map { signal in
      var action = sigaction()
      sigaction(signal, nil, &action)
      return action
    }
  }

  /// Restores them.
  func restore() {
    for (signal, action) in zip(Self.signals, actions) {
      var action = action
      sigaction(signal, &action, nil)
    }
  }
}
