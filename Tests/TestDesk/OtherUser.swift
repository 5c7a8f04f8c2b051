import Glibc
package import Testing

/// Another user of this machine, `nobody`: for what must be safe from other users.
///
/// Only root may become somebody else, so tests that need this say
/// `@Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))`.
package enum OtherUser {
  /// The user and group id of `nobody` and `nogroup` on Debian.
  package static let id: UInt32 = 65_534

  /// Whether programs can be run as the other user here.
  package static var isAvailable: Bool { geteuid() == 0 }

  /// The options of setpriv(1) that make the program after them run as this user.
  package static func options(user: UInt32 = id) -> [String] {
    ["--reuid=\(user)", "--regid=\(user)", "--clear-groups", "--no-new-privs", "--"]
  }

  /// Why tests are skipped where they cannot.
  package static let reason: Comment = "only root may run a program as another user"
}

extension PrivateDesktop {
  /// Runs a program to its end as another user, in the same environment.
  ///
  /// The desktop's directory is closed to other users: give paths outside of it, such as a
  /// system program's, or open what is to be attacked with ``admitOtherUser(to:)``.
  package func runAsOtherUser(
    _ executable: String, _ arguments: [String] = [], input: [UInt8] = [],
    environment additions: [String: String] = [:], timeoutSeconds: Double = 60
  ) throws -> CommandResult {
    try run(
      "setpriv", OtherUser.options() + [executable] + arguments, input: input,
      environment: Instrumentation.otherUser.merging(additions) { $1 }, directory: "/",
      timeoutSeconds: timeoutSeconds)
  }

  /// Starts a program as another user; it ends with the desktop at the latest.
  package func startAsOtherUser(
    _ executable: String, _ arguments: [String] = [],
    environment additions: [String: String] = [:], log: String? = nil
  ) throws -> ChildProcess {
    let child = try start(
      "setpriv", OtherUser.options() + [executable] + arguments,
      environment: Instrumentation.otherUser.merging(additions) { $1 }, directory: "/", log: log)
    // Until then it is still ours.
    waitFor("the other user's program") {
      var status = stat()
      return child.exit != nil
        || stat("/proc/\(child.pid)", &status) == 0 && status.st_uid == OtherUser.id
    }
    return child
  }

  /// Lets other users pass through the desktop's directory to a path below it that is open to them.
  package func admitOtherUser(to path: String) throws {
    guard chmod(directory, 0o711) == 0, chmod(path, 0o777) == 0 else {
      throw Failure("chmod: \(errno)")
    }
  }
}
