import Glibc

/// Other people on this machine, who can read what every program was started with (proc(5) `cmdline`).
enum OtherUsers {
  /// The first user id that is a person's (login.defs(5) `UID_MIN`); services have smaller ones. The
  /// ids of containers and of nobody count as people, too: whoever runs there could look.
  private static let firstPerson: uid_t = 1000

  /// Whether a program of another person runs now; true where that cannot be found out.
  static var arePresent: Bool {
    guard let processes = opendir("/proc") else { return true }
    defer { closedir(processes) }
    let directory = dirfd(processes)
    while let entry = readdir(processes) {
      // Only processes have names of digits.
      guard entry.pointee.d_name.0 >= UInt8(ascii: "1"), entry.pointee.d_name.0 <= UInt8(ascii: "9")
      else { continue }
      var status = stat()
      let isThere = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 1) {
          fstatat(directory, $0, &status, 0) == 0
        }
      }
      if isThere, isOtherPerson(status.st_uid, us: geteuid()) { return true }
    }
    return false
  }

  /// Whether a process of this user is another person's.
  static func isOtherPerson(_ user: uid_t, us: uid_t) -> Bool { user != us && user >= firstPerson }
}
