import Credentials
import Glibc
import Secrets

/// The Coder CLI's own session on Linux: two plaintext files, `url` and `session`.
struct CoderCLIFiles {
  /// No URL and no token is longer, in bytes.
  private static let limit = 4096

  /// The directory, as the person or the CLI names it.
  let path: String

  /// The CLI's directory: the one given, else `CODER_CONFIG_DIR`, else `$XDG_CONFIG_HOME/coderv2`.
  init?(_ given: String?, _ environment: Environment) {
    let usual = environment.directory("XDG_CONFIG_HOME", below: ".config").map { "\($0)/coderv2" }
    guard let path = given ?? environment["CODER_CONFIG_DIR"] ?? usual else { return nil }
    self.path = path
  }

  /// The path of the file with the token.
  var sessionPath: String { "\(path)/session" }

  /// What both files hold together; nil when the CLI is not signed in.
  func session() throws(Failure) -> (url: String, token: Secret, file: FileIdentity)? {
    guard let url = try text("url"), let token = try text("session") else { return nil }
    guard token.text.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !token.text.isEmpty else {
      throw Failure(.fixTheInput, "\(sessionPath) holds no token")
    }
    return (String(decoding: url.text, as: UTF8.self), token.secret, token.identity)
  }

  /// Removes the file with the token, if it is still the one that was read; behind a link, the file
  /// that it leads to.
  func removeSession(_ identity: FileIdentity) throws(Failure) {
    let file = realpath(sessionPath, nil)
    defer { free(file) }
    guard let file, FileIdentity(path: String(cString: file)) == identity else {
      throw Failure(.retryLater, "\(sessionPath) was changed meanwhile and is left")
    }
    guard unlink(file) == 0 else {
      throw Failure(
        .fixTheCall, "\(sessionPath) cannot be removed: \(String(cString: strerror(errno)))")
    }
  }

  private struct Content {
    let text: ArraySlice<UInt8>
    let identity: FileIdentity
    var secret: Secret { Secret(String(decoding: text, as: UTF8.self)) }
  }

  /// Reads a file that is small, regular, and our own, as a link to it must be.
  private func text(_ name: String) throws(Failure) -> Content? {
    let file = "\(path)/\(name)"
    var link = stat()
    if lstat(file, &link) == 0, link.st_uid != geteuid() {
      throw Failure(.fixTheInput, "\(file) is not read: it is not a file of our own")
    }
    let descriptor = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw Failure(.fixTheInput, "\(file) is not read: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_uid == geteuid()
    else { throw Failure(.fixTheInput, "\(file) is not read: it is not a file of our own") }
    var bytes = [UInt8](repeating: 0, count: Self.limit + 1)
    var count = 0
    while count < bytes.count {
      let added = bytes[count...].withUnsafeMutableBytes {
        read(descriptor, $0.baseAddress, $0.count)
      }
      if added < 0 && errno == EINTR { continue }
      guard added >= 0 else {
        throw Failure(.fixTheInput, "\(file) is not read: \(String(cString: strerror(errno)))")
      }
      if added == 0 { break }
      count += added
    }
    guard count <= Self.limit else {
      throw Failure(.fixTheInput, "\(file) is not read: it is longer than \(Self.limit) bytes")
    }
    let isBlank = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
    let text = bytes[..<count].drop(while: isBlank)
    let end = text.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? text.startIndex
    return Content(text: text[..<end], identity: FileIdentity(status))
  }
}

/// Which file it is, and that nobody has written to it since.
struct FileIdentity: Equatable {
  private let device: dev_t
  private let inode: ino_t
  private let changed: Int
  private let changedNanoseconds: Int

  init(_ status: stat) {
    device = status.st_dev
    inode = status.st_ino
    changed = status.st_mtim.tv_sec
    changedNanoseconds = status.st_mtim.tv_nsec
  }

  init?(path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    self.init(status)
  }
}
