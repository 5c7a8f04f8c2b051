import CGLib
import Credentials
import Glibc

/// One sign-in at a time to one deployment: however many start, one asks the person.
///
/// Held while the person thinks, unlike ``RefreshLock``; nothing but another sign-in waits for it.
struct SignInLock {
  private let descriptor: Int32

  /// Takes the lock, or waits for whoever has it, for `patience` seconds, asking again and again
  /// whether the matter has been settled meanwhile; nil when it has.
  static func take(
    _ deployment: Deployment, environment: Environment, patience: Int, isSettled: () -> Bool
  ) throws(Failure) -> SignInLock? {
    guard let digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, deployment.url, -1) else {
      throw Failure(.reportIt, "the lock's name cannot be computed")
    }
    defer { g_free(digest) }
    let path = "\(try RuntimeDirectory.path(environment))/\(String(cString: digest)).login"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw Failure(.retryLater, "the lock \(path) cannot be used: \(SystemError.last)")
    }
    let deadline = MonotonicClock.milliseconds + patience * 1000
    var hasSaidSo = false
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if !hasSaidSo {
        Terminal.say("Another sign-in to \(deployment.url) is under way; waiting for it …")
        hasSaidSo = true
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
    return SignInLock(descriptor: descriptor)
  }

  func release() {
    close(descriptor)
  }
}
