internal import CLinux
internal import Glibc

/// What a process does before it holds its first secret, and when it hands one on.
public enum Custody {
  /// Forbids core dumps and debuggers of other processes, and makes a reader that went away an
  /// error to report instead of a reason to die unheard.
  public static func begin() {
    // A descriptor below 3 that is free would be taken by a socket, and then written to as if it
    // were ours to speak on.
    for descriptor in 0...2 where fcntl(Int32(descriptor), F_GETFD) < 0 {
      _ = open("/dev/null", O_RDWR)
    }
    var noCore = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &noCore)
    _ = clinux_forbid_dumps()
    signal(SIGPIPE, SIG_IGN)
  }

  /// Writes a secret, whole: the one way out to whoever asked.
  ///
  /// - Returns: whether all of it was written.
  public static func hand(_ secret: Secret, to descriptor: Int32) -> Bool {
    write(secret.revealed, to: descriptor)
  }

  /// Writes a text, whole.
  ///
  /// - Returns: whether all of it was written.
  public static func write(_ text: String, to descriptor: Int32) -> Bool {
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      written += count
    }
    return true
  }
}
