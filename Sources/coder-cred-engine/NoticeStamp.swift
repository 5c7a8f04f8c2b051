import CGLib
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

  let path: String

  init(of deployment: Deployment, environment: Environment) throws(Failure) {
    let directory = try RuntimeDirectory.path(environment)
    guard let digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, deployment.url, -1) else {
      throw Failure(.reportIt, "the stamp's name cannot be computed")
    }
    defer { g_free(digest) }
    path = "\(directory)/\(String(cString: digest)).notified"
  }

  /// Takes the right to notify, for one process at a time and once in an interval.
  func take(now: Int64) -> Bool {
    let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
    let descriptor = open(path, flags, 0o600)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    // Whoever holds the lock is about to notify.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return false }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(),
      status.st_mode & S_IFMT == S_IFREG
    else { return false }
    // A time to come is a clock that was set back: it must not silence us for good.
    let age = now.subtractingReportingOverflow(Int64(status.st_mtim.tv_sec)).partialValue
    guard status.st_size == 0 || !(0..<Self.interval).contains(age) else { return false }
    return ftruncate(descriptor, 0) == 0 && write(descriptor, "\n", 1) == 1
  }
}
