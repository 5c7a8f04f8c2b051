import Glibc
import Sessions

/// A file that is replaced as a whole: readers see the old one or the new one, never a part.
///
/// A file that is a link, as into a repository of dot-files, stays one: what it leads to changes.
struct ReplaceableFile {
  /// What messages call it.
  private let what: String
  /// The file itself, behind all links.
  private let target: String
  private let exists: Bool
  /// Whether the path that was named is a link to the file.
  let isLink: Bool

  /// Finds the file.
  ///
  /// - Throws: when the path leads to something that is no regular file, or nowhere.
  init(path: String, what: String) throws(Failure) {
    self.what = what
    var status = stat()
    guard lstat(path, &status) == 0 else {
      guard errno == ENOENT else { throw Self.unusable(what, String(cString: strerror(errno))) }
      (target, exists, isLink) = (path, false, false)
      return
    }
    isLink = status.st_mode & S_IFMT == S_IFLNK
    guard let resolved = realpath(path, nil) else {
      throw Self.unusable(what, String(cString: strerror(errno)))
    }
    defer { free(resolved) }
    (target, exists) = (String(cString: resolved), true)
    guard stat(target, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Self.unusable(what, "it is not a file")
    }
  }

  /// What it holds, of at most `limit` bytes; nil when it does not exist.
  func content(limit: Int) throws(Failure) -> [UInt8]? {
    guard exists else { return nil }
    let descriptor = open(target, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw unusable(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw unusable(String(cString: strerror(errno))) }
      if count == 0 { return content }
      content += chunk[..<count]
      guard content.count <= limit else { throw unusable("it is longer than \(limit) bytes") }
    }
  }

  /// Writes a new content; a former file keeps its mode, a new one is readable by us alone.
  ///
  /// - Parameters:
  ///   - content: what it is to hold.
  ///   - other: whose mode it gets; nil is its own.
  /// - Throws: when it cannot be written; it is as it was then.
  func replace(
    with content: some Collection<UInt8>, modeOf other: ReplaceableFile? = nil
  ) throws(Failure) {
    if !exists, let slash = target.utf8.lastIndex(of: UInt8(ascii: "/")), slash > target.startIndex
    {
      RuntimeDirectory.makeDirectories(String(target[..<slash]))
    }
    var template = Array("\(target).\(String(repeating: "X", count: 6))".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw unusable(String(cString: strerror(errno))) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var status = stat()
    if stat((other ?? self).target, &status) == 0 { fchmod(descriptor, status.st_mode & 0o777) }
    let bytes = Array(content)
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes {
        write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      written += count
    }
    let isKept =
      written == bytes.count && fsync(descriptor) == 0 && rename(template, target) == 0
    // Before close(2) and unlink(2) replace it.
    let code = errno
    close(descriptor)
    if isKept { return }
    unlink(template)
    throw unusable(String(cString: strerror(code)), isFull: Self.isFull.contains(code))
  }

  /// Removes the file.
  func remove() throws(Failure) {
    guard exists else { return }
    guard unlink(target) == 0 else { throw unusable(String(cString: strerror(errno))) }
  }

  /// Refuses a file that is marked read-only, or is another user's: replacing it would not mind, but
  /// whoever manages it does.
  func requireWritable() throws(Failure) {
    var status = stat()
    guard exists, stat(target, &status) == 0 else { return }
    guard status.st_uid == geteuid() else { throw unusable("it belongs to another user") }
    guard status.st_mode & S_IWUSR != 0, access(target, W_OK) == 0 else {
      throw unusable("it is read-only")
    }
  }

  /// What write(2) says where there is no room: nothing is wrong with the call.
  private static let isFull = [ENOSPC, EDQUOT, EFBIG, EIO]

  private func unusable(_ reason: String, isFull: Bool = false) -> Failure {
    Self.unusable(what, reason, isFull: isFull)
  }

  private static func unusable(_ what: String, _ reason: String, isFull: Bool = false) -> Failure {
    Failure(
      isFull ? .retryLater : .fixTheCall, "\(what) cannot be written: \(reason)",
      hint: isFull ? "make room there, and try again; the file is as it was" : nil)
  }
}
