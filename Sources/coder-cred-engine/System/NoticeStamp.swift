import Credentials
import Glibc

/// When a person was last notified about a deployment, so that a hundred failing processes bother
/// them once.
///
/// The time is that of the file; what is in it is never read. An empty file is one that nobody has
/// notified anyone with yet.
struct NoticeStamp {
  /// How long a notification stands for all that would follow, in seconds.
  static let interval: Int64 = 900

  private let file: RuntimeFile

  init(of deployment: Deployment, environment: Environment) throws(Failure) {
    file = try RuntimeFile(about: deployment.url, ending: "notified", environment)
  }

  /// Takes the right to notify, for one process at a time and once in an interval.
  func take(now: Int64) -> Bool {
    guard let descriptor = try? file.open() else { return false }
    defer { close(descriptor) }
    // Whoever holds the lock is about to notify.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return false }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return false }
    // A time to come is a clock that was set back: it must not silence us for good.
    let age = now.subtractingReportingOverflow(Int64(status.st_mtim.tv_sec)).partialValue
    guard status.st_size == 0 || !(0..<Self.interval).contains(age) else { return false }
    return ftruncate(descriptor, 0) == 0 && write(descriptor, "\n", 1) == 1
  }
}
