import Basics
import Credentials
import Glibc

/// One sign-in at a time to one deployment: however many start, one asks the person.
///
/// Held while the person thinks, unlike ``RefreshLock``; nothing but another sign-in waits for it.
struct LoginLock {
  private let descriptor: Int32

  /// Takes the lock, or waits for whoever has it, for `patience` seconds, asking again and again
  /// whether the matter has been settled meanwhile; nil when it has.
  ///
  /// - Throws: a failure to retry later when whoever had it did not succeed: the person shall not be
  ///   asked once more for everyone who waits.
  static func take(
    _ deployment: Deployment, environment: Environment, patience: Int, isSettled: () -> Bool
  ) throws(Failure) -> LoginLock? {
    let file = try RuntimeFile(about: deployment.url, ending: "login", environment)
    let descriptor = try file.open()
    let deadline = MonotonicClock.milliseconds + patience * 1000
    var start: timespec?
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if start == nil {
        Terminal.say("Another sign-in to \(deployment.url) is under way; waiting for it …")
        var now = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &now)
        start = now
      }
      guard MonotonicClock.milliseconds < deadline else {
        close(descriptor)
        throw Failure(.retryLater, "another sign-in to \(deployment.url) does not end")
      }
      usleep(250_000)
      if isSettled() {
        close(descriptor)
        return nil
      }
    }
    if let start, hasFailed(descriptor, since: start) {
      close(descriptor)
      throw Failure(
        .retryLater, "the other sign-in to \(deployment.url) did not succeed",
        hint: "coder-cred login \(deployment.url)")
    }
    return LoginLock(descriptor: descriptor)
  }

  /// Lets others sign in, or go without, if this did not succeed.
  func release(hasFailed: Bool) {
    // The file stays empty: its time is all that those who wait need to know. Who is interrupted
    // leaves none, and the next one takes over.
    if hasFailed { futimens(descriptor, nil) }
    close(descriptor)
  }

  private static func hasFailed(_ descriptor: Int32, since start: timespec) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return false }
    let time = status.st_mtim
    return (time.tv_sec, time.tv_nsec) > (start.tv_sec, start.tv_nsec)
  }
}
