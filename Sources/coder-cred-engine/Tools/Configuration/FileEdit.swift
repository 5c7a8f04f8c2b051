/// One change to a tool's file: something of ours that is added, and can be taken away again without
/// touching a byte of what else is there.
protocol FileEdit {
  /// What is added, as a person sees it.
  var shown: String { get }
  /// The content with the change; the same content when it is there already.
  ///
  /// - Throws: ``EditProblem`` when the content is malformed, or says something else already.
  func made(in content: [UInt8]) throws(EditProblem) -> [UInt8]
  /// The content without the change; the same content when there is nothing of ours.
  ///
  /// - Throws: ``EditProblem`` when the content is malformed.
  func unmade(in content: [UInt8]) throws(EditProblem) -> [UInt8]
  /// Whether a content says nothing, so that a file that was made for us can go.
  func isEmpty(_ content: [UInt8]) -> Bool
}

extension FileEdit {
  func isEmpty(_ content: [UInt8]) -> Bool { content.allSatisfy(\.isJSONBlank) }
}

/// Why a tool's file is left as it is. Its content is not repeated: it may hold secrets.
struct EditProblem: Error, Equatable {
  let reason: String
  init(_ reason: String) { self.reason = reason }

  /// A place of the file that somebody else has filled.
  static func taken(_ name: String) -> EditProblem {
    EditProblem("it sets \(name) already, to something else")
  }
}

extension UInt8 {
  /// RFC 8259 §2, `ws`.
  var isJSONBlank: Bool { self == 0x20 || (0x09...0x0A).contains(self) || self == 0x0D }
}

/// The lines of a file, each with its line feed.
struct FileLines {
  private(set) var lines: [ArraySlice<UInt8>] = []

  init(_ content: [UInt8]) {
    var rest = content[...]
    while !rest.isEmpty {
      let end = rest.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.endIndex
      lines.append(rest[..<end])
      rest = rest[end...]
    }
  }

  /// A line as text, without its line end.
  static func text(_ line: ArraySlice<UInt8>) -> String {
    var line = line
    if line.last == UInt8(ascii: "\n") { line.removeLast() }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    return String(decoding: line, as: UTF8.self)
  }
}
