import Glibc

/// Where this program and the fast path that starts it are.
struct Installation {
  /// The full program.
  let engine: String
  /// The fast path, which people and tools run.
  let fastPath: String

  /// Which file it is, whatever it is called.
  struct Identity: Equatable {
    private let device: dev_t
    private let inode: ino_t

    init?(of path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      (device, inode) = (status.st_dev, status.st_ino)
    }
  }

  /// Finds both by where we are; nil when the fast path is not where it would look for us from.
  init?() {
    guard let resolved = realpath("/proc/self/exe", nil) else { return nil }
    defer { free(resolved) }
    engine = String(cString: resolved)
    let folder = Self.folder(of: engine)
    let places = ["\(folder)/coder-cred", "\(folder)/../../bin/coder-cred"]
    guard let place = places.first(where: { access($0, X_OK) == 0 }),
      let path = realpath(place, nil)
    else { return nil }
    defer { free(path) }
    fastPath = String(cString: path)
  }

  /// The directory of what people run.
  var directory: String { Self.folder(of: fastPath) }

  /// What nobody else should be able to change.
  var paths: [String] {
    let paths = [fastPath, engine, directory, Self.folder(of: engine)]
    return paths.enumerated().filter { paths.firstIndex(of: $1) == $0 }.map(\.element)
  }

  var identity: Identity? { Identity(of: fastPath) }

  /// What `PATH` has under our name: each program once, in its order.
  func named(
    in environment: Environment, _ name: String = "coder-cred"
  ) -> [(path: String, identity: Identity)] {
    var found: [(path: String, identity: Identity)] = []
    for folder in (environment["PATH"] ?? "").utf8.split(separator: UInt8(ascii: ":")) {
      guard let folder = String(folder), folder.hasPrefix("/") else { continue }
      let path = "\(folder)/\(name)"
      guard access(path, X_OK) == 0, let identity = Identity(of: path),
        !found.contains(where: { $0.identity == identity })
      else { continue }
      found.append((path, identity))
    }
    return found
  }

  private static func folder(of path: String) -> String {
    path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? "/"
  }
}

/// Who may write to a file.
enum FileAccess {
  /// Whether a user other than we and root may change it, or owns it.
  static func isOpenToOthers(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    return isWritableByOthers(status) || (status.st_uid != geteuid() && status.st_uid != 0)
  }

  /// Whether it is ours, and others may write to it nevertheless.
  static func isOursButOpen(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    return isWritableByOthers(status) && status.st_uid == geteuid()
  }

  /// Takes the right to write from group and others.
  ///
  /// - Throws: a failure that says why it cannot be.
  static func close(_ path: String) throws(Failure) {
    var status = stat()
    guard stat(path, &status) == 0, chmod(path, status.st_mode & 0o7755) == 0 else {
      throw Failure(.fixTheCall, "\(path) is not changed: \(String(cString: strerror(errno)))")
    }
  }

  /// Where every user has a group of their own, their files are often writable by it, and root's
  /// directories by a group of administrators; a directory that is sticky lets nobody change what is
  /// another's.
  private static func isWritableByOthers(_ status: stat) -> Bool {
    if status.st_mode & S_IFMT == S_IFDIR, status.st_mode & S_ISVTX != 0 { return false }
    return status.st_mode & S_IWOTH != 0
      || (status.st_mode & S_IWGRP != 0 && status.st_uid != 0 && status.st_gid != getegid())
  }
}
