import Glibc
import HTTP

/// The body of an `api` request: a file, or whatever comes on standard input.
///
/// A file is read as it is sent. Of a pipe, as much is read ahead as fits into ``ahead``; a body
/// that ends within can be sent again, a longer one is sent as it comes, once.
final class APIBody {
  /// How much of a pipe is read before the request begins, in bytes.
  static let ahead = 1 << 20

  private let descriptor: Int32
  /// Where a file's body starts; nil for a pipe.
  private let start: off_t?
  private let size: Int?
  private var buffer: [UInt8] = []
  private var position = 0

  /// Opens a file; `-` is standard input.
  init(of name: String) throws(Failure) {
    descriptor = name == "-" ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0 else {
      throw Failure(.fixTheCall, "\(name) cannot be read: \(String(cString: strerror(errno)))")
    }
    guard status.st_mode & S_IFMT != S_IFREG else {
      let start = max(0, lseek(descriptor, 0, SEEK_CUR))
      self.start = start
      size = max(0, Int(status.st_size - start))
      return
    }
    start = nil
    guard let (bytes, isComplete) = Self.readAhead(descriptor) else {
      throw Failure(.fixTheCall, "\(name) cannot be read: \(String(cString: strerror(errno)))")
    }
    buffer = bytes
    size = isComplete ? bytes.count : nil
  }

  /// Takes a text.
  init(_ text: String) {
    descriptor = STDIN_FILENO
    start = nil
    buffer = Array(text.utf8)
    size = buffer.count
  }

  deinit {
    if descriptor != STDIN_FILENO { close(descriptor) }
  }

  /// The body, from where it stands; tells how far it is.
  func upload(_ progress: TransferProgress) -> HTTPUpload {
    progress.begin(.sending, bytes: size)
    return HTTPUpload(size: size) { [self] room in
      let count = take(room)
      progress.add(count ?? 0)
      return count
    }
  }

  /// Makes ready to send it again; false when that cannot be done.
  func rewind() -> Bool {
    guard let start else {
      position = 0
      return size != nil
    }
    return lseek(descriptor, start, SEEK_SET) == start
  }

  private func take(_ room: UnsafeMutableRawBufferPointer) -> Int? {
    if position < buffer.count {
      let count = min(room.count, buffer.count - position)
      room.copyBytes(from: buffer[position..<(position + count)])
      position += count
      return count
    }
    return start == nil && size != nil ? 0 : Self.read(descriptor, room)
  }

  private static func readAhead(_ descriptor: Int32) -> (bytes: [UInt8], isComplete: Bool)? {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while bytes.count <= ahead {
      guard let count = chunk.withUnsafeMutableBytes({ read(descriptor, $0) }) else { return nil }
      if count == 0 { return (bytes, true) }
      bytes += chunk[..<count]
    }
    return (bytes, false)
  }

  private static func read(_ descriptor: Int32, _ room: UnsafeMutableRawBufferPointer) -> Int? {
    while true {
      let count = Glibc.read(descriptor, room.baseAddress, room.count)
      if count >= 0 { return count }
      if errno != EINTR { return nil }
    }
  }
}
