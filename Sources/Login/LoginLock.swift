package import Credentials
import Glibc
package import Sessions

/// One sign-in at a time to one deployment: however many start, one asks the person.
///
/// Held while the person thinks, unlike a ``SessionLock``; only other sign-ins wait for it.
package struct LoginLock {
  private let descriptor: Int32

  /// Takes the lock if no sign-in is under way; a sign-out must not take away the registration that
  /// a person is just allowing.
  package static func takeIfFree(
    _ deployment: Deployment, in directory: RuntimeDirectory
  ) -> LoginLock? {
    guard let descriptor = try? directory.file(about: deployment.url, suffix: "login").open() else {
      return nil
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      return nil
    }
    return LoginLock(descriptor: descriptor)
  }

  /// How a person, and the other sign-in, show up while the lock is waited for.
  struct Waiting {
    /// Called once when there is somebody to wait for.
    let began: (Holder?) -> Void
    /// What the person says meanwhile; asked again and again.
    let choice: () -> WaitingChoice?
    /// Called when the other sign-in is ended.
    let takesOver: () -> Void
    /// Whether the other sign-in has succeeded meanwhile; asked again and again.
    let isSettled: () -> Bool
  }

  /// Takes the lock, or waits for whoever has it.
  ///
  /// - Parameters:
  ///   - deployment: where the person signs in.
  ///   - directory: where the lock's file is.
  ///   - timeoutSeconds: how long to wait.
  ///   - waiting: what happens meanwhile.
  /// - Returns: nil when the other sign-in has succeeded.
  /// - Throws: ``LoginError/otherLoginFailed`` when whoever had it did not succeed: the person must
  ///   not be asked once more for everyone who waits. ``LoginError/otherLoginDoesNotEnd(process:)``;
  ///   ``LoginError/givenUp``.
  static func take(
    _ deployment: Deployment, in directory: RuntimeDirectory, timeoutSeconds: Int,
    _ waiting: Waiting
  ) throws(LoginError) -> LoginLock? {
    let descriptor: Int32
    do throws(SessionError) {
      descriptor = try directory.file(about: deployment.url, suffix: "login").open()
    } catch {
      throw .session(error)
    }
    let deadline = SystemClock().uptimeMilliseconds + Int64(timeoutSeconds) * 1000
    var start: timespec?
    var isTakenOver = false
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if start == nil {
        waiting.began(Holder(of: descriptor))
        var now = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &now)
        start = now
      }
      switch waiting.choice() {
      case .giveUp:
        close(descriptor)
        throw .givenUp
      case .takeOver:
        if Holder(of: descriptor)?.end() == true { isTakenOver = true }
        waiting.takesOver()
      case nil: break
      }
      guard SystemClock().uptimeMilliseconds < deadline else {
        let process = Holder(of: descriptor)?.process
        close(descriptor)
        throw .otherLoginDoesNotEnd(process: process)
      }
      usleep(250_000)
      if waiting.isSettled() {
        close(descriptor)
        return nil
      }
    }
    // That whoever was ended did not succeed is no news.
    if let start, !isTakenOver, hasFailed(descriptor, since: start) {
      close(descriptor)
      throw .otherLoginFailed
    }
    return LoginLock(descriptor: descriptor)
  }

  /// Lets others sign in, or go without, if this sign-in failed.
  package func release(hasFailed: Bool) {
    // The file stays empty: its modification time alone tells those who wait about a failure. A
    // process that is killed leaves none, and the next one takes over.
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
