import Foundation
import TestDesk
import Testing

/// A root directory that a test makes, with everything of this machine in it but what tells a container
/// and what is in `/run`.
enum OwnRoot {
  /// Whether this machine lets a program mount in a user namespace of its own.
  static let isAvailable =
    (try? ChildProcess.run(
      "/usr/bin/unshare",
      ["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
      environment: ["PATH": PrivateDesktop.path]))?.status == 0

  /// Mounts the root, makes what its second argument says, and runs the rest.
  fileprivate static let script = """
    set -e
    root=$1; make=$2; shift 2
    mkdir "$root"
    mount -t tmpfs tmpfs "$root"
    for entry in /*; do
      case $entry in /run | /.dockerenv) continue ;; esac
      if [ -L "$entry" ]; then cp -P "$entry" "$root$entry"
      elif [ -d "$entry" ]; then mkdir "$root$entry"; mount --rbind "$entry" "$root$entry"
      fi
    done
    cd "$root"
    mkdir run
    eval "$make"
    exec unshare --root="$root" -- "$@"
    """
}

extension Desk {
  /// Runs `doctor --json`, or shell commands that do, as root of a user namespace under a root directory
  /// of its own; `make` says in a shell's words what is made there.
  func doctorInOwnRoot(
    make: String = ":", shell: String = "coder-cred doctor --json",
    environment: [String: String] = [:]
  ) throws -> Report {
    let root = "\(directory)/root"
    defer { try? FileManager.default.removeItem(atPath: root) }
    let variables = try path(install()).merging(environment) { $1 }
    return try Report(
      run(
        "unshare",
        [
          "--user", "--map-root-user", "--mount", "/bin/sh", "-c", OwnRoot.script, "sh", root, make,
          "/bin/sh", "-c", shell,
        ], environment: variables))
  }
}
