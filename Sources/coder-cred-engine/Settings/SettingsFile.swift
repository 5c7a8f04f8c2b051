import CGLib
import Credentials
import Glibc
import Sessions

/// The person's configuration file, changed without disturbing what else is in it.
struct SettingsFile {
  let path: String

  /// Writes one setting: comments, other keys and their order stay; readers see the old file or the
  /// new one, never a part.
  ///
  /// A file that is a link, as into a repository of dot-files, stays one: what it leads to changes.
  ///
  /// - Parameters:
  ///   - key: the setting's name.
  ///   - value: what it is set to; with nil it is taken out.
  ///   - deployment: whose setting it is; with nil that of every deployment.
  /// - Throws: a failure when the file cannot be used or written; it is as it was then.
  func set(
    _ key: String, to value: String?, for deployment: Deployment? = nil
  ) throws(Failure) {
    let target = try target()
    let file = g_key_file_new()
    defer { g_key_file_unref(file) }
    do throws(MalformedInput) {
      let bytes = try SettingsLocation.contents(of: target)
      if let bytes { try Settings.load(bytes, into: file, cglib_key_file_flags_keep()) }
    } catch {
      throw Failure(.fixTheCall, "the configuration \(path) is unusable: \(error.reason)")
    }
    let group = deployment.map(Settings.group(of:)) ?? Settings.commonGroup
    if let value {
      g_key_file_set_string(file, group, key, value)
    } else if g_key_file_remove_key(file, group, key, nil) == 0 {
      return
    }
    var length: gsize = 0
    guard let data = g_key_file_to_data(file, &length, nil) else {
      throw Failure(.reportIt, "the configuration cannot be written as a key file")
    }
    defer { g_free(data) }
    try replace(target, with: UnsafeRawBufferPointer(start: data, count: Int(length)))
  }

  /// The file itself, behind all links.
  private func target() throws(Failure) -> String {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      guard errno == ENOENT else { throw unusable(String(cString: strerror(errno))) }
      let directory = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) }
      if let directory, !directory.isEmpty { RuntimeDirectory.makeDirectories(directory) }
      return path
    }
    guard let resolved = realpath(path, nil) else {
      throw unusable(String(cString: strerror(errno)))
    }
    defer { free(resolved) }
    let target = String(cString: resolved)
    guard stat(target, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw unusable("it is not a file")
    }
    return target
  }

  private func replace(
    _ target: String, with bytes: UnsafeRawBufferPointer
  ) throws(Failure) {
    var template = Array("\(target).\(String(repeating: "X", count: 6))".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw unusable(String(cString: strerror(errno))) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var status = stat()
    // mkstemp(3) makes it readable by us alone; a former file keeps its mode.
    if stat(target, &status) == 0 { fchmod(descriptor, status.st_mode & 0o777) }
    var written = 0
    while written < bytes.count {
      let count = write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
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

  /// What write(2) says where there is no room: nothing is wrong with the call.
  private static let isFull = [ENOSPC, EDQUOT, EFBIG, EIO]

  private func unusable(_ reason: String, isFull: Bool = false) -> Failure {
    Failure(
      isFull ? .retryLater : .fixTheCall,
      "the configuration \(path) cannot be written: \(reason)",
      hint: isFull ? "make room there, and try again; the file is as it was" : nil)
  }
}
