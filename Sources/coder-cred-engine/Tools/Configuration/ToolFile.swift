import Glibc
import Sessions

/// A file of a tool's configuration, as it is now.
struct ToolFile {
  /// The path as it was named.
  let path: String
  /// What it holds; nil when there is no file.
  let content: [UInt8]?
  private let target: ReplaceableFile

  /// No configuration is longer, in bytes.
  private static let limit = 4 << 20

  /// Reads a file, behind links if it is one.
  ///
  /// - Throws: when it cannot be read, or is no text.
  init(path: String) throws(Failure) {
    self.path = path
    target = try ReplaceableFile(path: path, what: path)
    content = try target.content(limit: Self.limit)
    guard let content else { return }
    guard !content.contains(0), String(validating: content, as: UTF8.self) != nil else {
      throw Failure(.fixTheInput, "\(path) is left as it is: it is no text in UTF-8")
    }
  }

  /// Where the content from before our first change is kept.
  var backupPath: String { "\(path).before-coder-cred" }

  /// Puts another content in its place, or with nil removes it.
  func replace(with content: [UInt8]?) throws(Failure) {
    try requireWritable()
    guard let content else { return try target.remove() }
    try target.replace(with: content)
  }

  /// Refuses a file that is marked read-only: whoever manages it does not want it changed.
  func requireWritable() throws(Failure) { try target.requireWritable() }

  /// Keeps a copy of what it holds, readable by nobody who cannot read the file.
  func backUp() throws(Failure) {
    guard let content else { return }
    try ReplaceableFile(path: backupPath, what: backupPath).replace(with: content, modeOf: target)
  }
}
