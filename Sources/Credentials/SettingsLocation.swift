internal import Glibc

/// Where a person's settings are, and what stands there, for both programs alike.
public enum SettingsLocation {
  /// The largest file that is read, in bytes.
  public static let maximumBytes = 64 << 10

  /// The path of the file, whether or not there is one: `CODER_CRED_CONFIG`, else
  /// `coder-cred/config` below `XDG_CONFIG_HOME` or `HOME/.config`.
  ///
  /// - Parameter variable: an environment variable's value; nil when it is unset or empty.
  /// - Returns: nil when there is no home.
  public static func path(variable: (String) -> String?) -> String? {
    if let path = variable("CODER_CRED_CONFIG") { return path }
    // XDG Base Directory Specification: "All paths set in these environment variables must be
    // absolute."
    func directory(_ name: String) -> String? {
      variable(name).flatMap { $0.utf8.first == UInt8(ascii: "/") ? $0 : nil }
    }
    let home = directory("XDG_CONFIG_HOME") ?? directory("HOME").map { "\($0)/.config" }
    return home.map { "\($0)/coder-cred/config" }
  }

  /// The bytes of a settings file; nil when there is none.
  ///
  /// The settings say which server and which certificates are trusted: a file that another user
  /// owns or may write is refused, and so is whatever is no file.
  ///
  /// - Throws: ``MalformedInput/settings(reason:)``.
  public static func contents(of path: String) throws(MalformedInput) -> [UInt8]? {
    // Without O_NONBLOCK, opening a FIFO waits for whoever writes to it.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw .settings(reason: String(cString: strerror(errno)))
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .settings(reason: "it is not a regular file")
    }
    guard status.st_uid == getuid() || status.st_uid == 0 else {
      throw .settings(reason: "it belongs to another user")
    }
    // Where every user has a group of their own, their files are often writable by it.
    let isSharedByGroup = status.st_mode & S_IWGRP != 0 && status.st_gid != getgid()
    guard status.st_mode & S_IWOTH == 0, !isSharedByGroup else {
      throw .settings(reason: "other users may write to it")
    }
    var count = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: maximumBytes + 1) { buffer, filled in
      repeat {
        count = read(file, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
        filled += max(0, count)
      } while count > 0 && filled < buffer.count || count < 0 && errno == EINTR
    }
    guard count >= 0 else { throw .settings(reason: String(cString: strerror(errno))) }
    guard bytes.count <= maximumBytes else { throw .settings(reason: "it is larger than 64 KiB") }
    return bytes
  }
}
