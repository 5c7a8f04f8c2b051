import Glibc

/// Where processes of one user meet: a directory of our own that no one else can enter.
enum RuntimeDirectory {
  /// The directory, made if need be: `$XDG_RUNTIME_DIR/coder-cred`, else below `/run/user`, else
  /// below the state directory of the home.
  static func path(_ environment: Environment) throws(Failure) -> String {
    var candidates = [environment.directory("XDG_RUNTIME_DIR"), "/run/user/\(geteuid())"]
    candidates.append(environment.directory("XDG_STATE_HOME", below: ".local/state"))
    let parents = candidates.compactMap(\.self)
    for (index, parent) in parents.enumerated() {
      if index == parents.count - 1 { makeDirectories(parent) }
      guard isOurs(parent, followingLinks: true) else { continue }
      let path = "\(parent)/coder-cred"
      if mkdir(path, 0o700) != 0 && errno != EEXIST { continue }
      // access(2) sees a read-only disk, too.
      if isOurs(path, followingLinks: false), access(path, W_OK) == 0 { return path }
    }
    throw Failure(
      .retryLater, "there is no runtime directory of our own to keep a lock in",
      hint: "set XDG_RUNTIME_DIR to a directory that belongs to you, with mode 0700")
  }

  private static func isOurs(_ path: String, followingLinks: Bool) -> Bool {
    var status = stat()
    let flags = followingLinks ? 0 : AT_SYMLINK_NOFOLLOW
    return fstatat(AT_FDCWD, path, &status, flags) == 0 && status.st_mode & S_IFMT == S_IFDIR
      && status.st_uid == geteuid() && status.st_mode & 0o022 == 0
  }

  /// Makes a directory and those above it that are missing, for us alone.
  static func makeDirectories(_ path: String) {
    var made = ""
    for component in path.utf8.split(separator: UInt8(ascii: "/")) {
      made += "/" + (String(component) ?? "")
      mkdir(made, 0o700)
    }
  }
}
