import Credentials
import Glibc
import Secrets

/// Where processes of one user meet: a directory that belongs to the user and that nobody else can
/// write to.
package struct RuntimeDirectory: Sendable {
  /// The directories to look in, the best first. The last one is made if it is missing.
  private let parents: [String]

  /// Takes the directories below which `coder-cred` may be made.
  package init(parents: [String]) {
    self.parents = parents
  }

  /// The directory, made if need be.
  ///
  /// - Throws: ``SessionError/noRuntimeDirectory`` when none of the parents is ours alone.
  package func path() throws(SessionError) -> String {
    for (index, parent) in parents.enumerated() {
      if index == parents.count - 1 { Self.makeDirectories(parent) }
      guard Self.isOurs(parent, followingLinks: true) else { continue }
      let path = "\(parent)/coder-cred"
      if mkdir(path, 0o700) != 0 && errno != EEXIST { continue }
      // access(2) also finds a file system that is mounted read-only.
      if Self.isOurs(path, followingLinks: false), access(path, W_OK) == 0 { return path }
    }
    throw .noRuntimeDirectory
  }

  /// A file about a subject, such as a session; its name does not reveal the subject.
  package func file(about subject: String, suffix: String) throws(SessionError) -> RuntimeFile {
    RuntimeFile(path: "\(try path())/\(SHA256.hexadecimal(subject)).\(suffix)")
  }

  /// Makes a directory and those above it that are missing, for us alone.
  package static func makeDirectories(_ path: String) {
    var made = ""
    for component in path.utf8.split(separator: UInt8(ascii: "/")) {
      made += "/" + (String(component) ?? "")
      mkdir(made, 0o700)
    }
  }

  private static func isOurs(_ path: String, followingLinks: Bool) -> Bool {
    var status = stat()
    let flags = followingLinks ? 0 : AT_SYMLINK_NOFOLLOW
    return fstatat(AT_FDCWD, path, &status, flags) == 0 && status.st_mode & S_IFMT == S_IFDIR
      && status.st_uid == geteuid() && status.st_mode & 0o022 == 0
  }
}

/// A file through which processes of one user agree about something.
package struct RuntimeFile: Sendable {
  /// Where it is.
  package let path: String

  /// Opens the file, and makes it if need be; whoever opened it closes it.
  ///
  /// - Throws: ``SessionError/lockUnusable(path:reason:)`` for anything but a regular file of our
  ///   own.
  package func open() throws(SessionError) -> Int32 {
    let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
    let descriptor = Glibc.open(path, flags, 0o600)
    guard descriptor >= 0 else { throw unusable(String(cString: strerror(errno))) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(),
      status.st_mode & S_IFMT == S_IFREG
    else {
      close(descriptor)
      throw unusable("it is not a file of our own")
    }
    return descriptor
  }

  /// Whether the path still names the open file: a file that was removed and made again locks out
  /// nobody.
  func isStill(_ descriptor: Int32) -> Bool {
    var opened = stat()
    var named = stat()
    return fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0
      && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino
  }

  func unusable(_ reason: String) -> SessionError {
    .lockUnusable(path: path, reason: reason)
  }
}
