import Glibc

/// A small file of the runtime directory: one line of numbers, the first of which is its version.
///
/// Several processes write such a file without a lock where a lost line does no harm.
struct NumberFile {
  private static let maximumBytes = 256

  /// Where it is.
  let path: String
  /// The version that is written, and the only one that is understood.
  let version: Int64

  /// The numbers after the version; nil when there is no such line.
  func numbers() -> [Int64]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(),
      status.st_mode & S_IFMT == S_IFREG
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: Self.maximumBytes)
    let count = read(descriptor, &bytes, bytes.count)
    guard count > 0, count < bytes.count, bytes[count - 1] == UInt8(ascii: "\n") else { return nil }
    let words = bytes[..<(count - 1)].split(
      separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    let numbers = words.compactMap { Int64(String(decoding: $0, as: UTF8.self)) }
    guard words.count == numbers.count, numbers.first == version,
      numbers.dropFirst().allSatisfy((0...(Int64.max / 4)).contains)
    else { return nil }
    return Array(numbers.dropFirst())
  }

  /// Replaces the file in one step. A failed write is no error.
  ///
  /// - Parameter numbers: from 0 to a quarter of the largest number, so that sums stay numbers.
  func write(_ numbers: [Int64]) {
    let draft = "\(path).\(getpid())"
    let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW
    let descriptor = open(draft, flags, 0o600)
    guard descriptor >= 0 else { return }
    let words = ([version] + numbers).map { String($0) }
    let line = Array((words.joined(separator: " ") + "\n").utf8)
    let isWritten = Glibc.write(descriptor, line, line.count) == line.count
    close(descriptor)
    if !isWritten || rename(draft, path) != 0 { unlink(draft) }
  }
}
