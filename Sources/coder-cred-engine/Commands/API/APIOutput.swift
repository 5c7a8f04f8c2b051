import Glibc
import HTTP

/// The standard output of `api`, and what is kept from it for now.
final class APIOutput {
  /// Which bodies are kept back.
  enum Holding {
    case nothing
    /// That of a status 401, which may be followed by another attempt.
    case rejection
    /// Any: a page of several.
    case everything
  }

  /// The most that is kept of a body that may not be the last, in bytes.
  private static let rejectionLimit = 1 << 16
  /// The longest page, in bytes.
  private static let pageLimit = 64 << 20

  private let holding: Holding
  private let showsHead: Bool
  private let willShow: () -> Void
  /// What was kept back.
  private(set) var kept: [UInt8] = []
  private var isTooLong = false
  /// What a person looks at; nil where the bytes go to a program or a file as they came.
  private var shown = isatty(STDOUT_FILENO) != 0 ? TerminalText() : nil
  /// Why nothing can be written any more.
  private var code: Int32?

  /// Writes nothing yet.
  ///
  /// - Parameters:
  ///   - holding: which bodies are kept back.
  ///   - showsHead: whether status and header fields come before the body.
  ///   - willShow: called before something is written to a terminal.
  init(_ holding: Holding, showsHead: Bool, willShow: @escaping () -> Void) {
    (self.holding, self.showsHead, self.willShow) = (holding, showsHead, willShow)
  }

  /// Whether whoever reads it has read enough.
  var isClosed: Bool { code == EPIPE }

  /// Why the output is not what it should be; nil when it is, or when nobody wants more of it.
  var failure: Failure? {
    if isTooLong { return Failure(.fixTheServer, "a page of the list is longer than 64 MiB") }
    guard let code, code != EPIPE else { return nil }
    return Failure(
      .reportIt,
      "the answer could not be written to standard output: \(String(cString: strerror(code)))")
  }

  /// Takes the response without its body.
  func begin(_ version: String, _ head: HTTPResponse) {
    guard showsHead else { return }
    let lines =
      ["\(version) \(head.status)"] + head.headers.map { "\($0.name): \($0.value)" } + ["", ""]
    let bytes = Array(lines.joined(separator: "\n").utf8)
    _ = bytes.withUnsafeBytes { take($0, of: head.status) }
  }

  /// Takes a piece of the body; false when no more is wanted.
  func take(_ bytes: UnsafeRawBufferPointer, of status: Int) -> Bool {
    switch holding {
    case .rejection where status == 401:
      kept += bytes.prefix(max(0, Self.rejectionLimit - kept.count))
    case .everything:
      isTooLong = bytes.count > Self.pageLimit - kept.count
      guard !isTooLong else { return false }
      kept += bytes
    case .nothing, .rejection:
      output(bytes)
    }
    return code == nil
  }

  /// Writes what was kept back, and ends.
  func release() throws(Failure) {
    kept.withUnsafeBytes(output)
    if var shown { write(Array(shown.end().utf8)) }
    if let failure { throw failure }
  }

  /// Writes bytes in place of what was kept back.
  func output(_ bytes: some Sequence<UInt8>) throws(Failure) {
    Array(bytes).withUnsafeBytes(output)
    if let failure { throw failure }
  }

  private func output(_ bytes: UnsafeRawBufferPointer) {
    guard let text = shown?.take(bytes) else { return write(bytes) }
    write(Array(text.utf8))
  }

  private func write(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes(write)
  }

  private func write(_ bytes: UnsafeRawBufferPointer) {
    if shown != nil, !bytes.isEmpty { willShow() }
    var rest = bytes[...]
    while !rest.isEmpty, code == nil {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let count = Glibc.write(STDOUT_FILENO, part.baseAddress, part.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        code = count < 0 ? errno : EIO
        return
      }
      rest = rest.dropFirst(count)
    }
  }
}
