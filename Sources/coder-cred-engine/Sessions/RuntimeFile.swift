import CGLib
import Glibc

/// A file through which processes of one user agree about something, in the runtime directory.
struct RuntimeFile {
  let path: String

  /// Names the file about a subject, such as a deployment; the name reveals nothing of it.
  init(about subject: String, ending: String, _ environment: Environment) throws(Failure) {
    let directory = try RuntimeDirectory.path(environment)
    guard let digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, subject, -1) else {
      throw Failure(.reportIt, "the name of a lock cannot be computed")
    }
    defer { g_free(digest) }
    path = "\(directory)/\(String(cString: digest)).\(ending)"
  }

  /// Opens the file, and makes it if need be; whoever opened it closes it.
  ///
  /// - Throws: a failure to retry later for anything but a regular file of our own.
  func open() throws(Failure) -> Int32 {
    let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
    let descriptor = Glibc.open(path, flags, 0o600)
    guard descriptor >= 0 else { throw unusable(SystemError.last) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(),
      status.st_mode & S_IFMT == S_IFREG
    else {
      close(descriptor)
      throw unusable("it is not a file of our own")
    }
    return descriptor
  }

  /// Why the file does not serve.
  func unusable(_ reason: String) -> Failure {
    Failure(.retryLater, "the lock \(path) cannot be used: \(reason)")
  }
}
