/// Lines of ours between two comments that say whose they are, in a file whose comments begin
/// with `#`.
struct MarkedBlock: FileEdit {
  /// Where a new block goes.
  enum Place {
    case start
    case end
  }

  /// What tells this block from others of ours in the same file.
  let name: String
  let lines: [String]
  var place = Place.end
  /// Looks at what is in the file besides the block.
  var check: ([UInt8]) throws(EditProblem) -> Void = { _ throws(EditProblem) in }

  var shown: String { lines.joined(separator: "\n") }

  private var opening: String { "# >>> coder-cred configure \(name) >>>" }
  private var closing: String { "# <<< coder-cred configure \(name) <<<" }

  func made(in content: [UInt8]) throws(EditProblem) -> [UInt8] {
    let others = try unmade(in: content)
    try check(others)
    if let range = try range(in: content) {
      let isEnded = content[range].last == UInt8(ascii: "\n")
      var changed = content
      changed.replaceSubrange(range, with: block + (isEnded ? [0x0A] : []))
      return changed
    }
    switch place {
    case .start:
      let start = mark(of: content)
      return Array(content[..<start]) + block + [0x0A] + content[start...]
    case .end:
      let last = FileLines(content).lines.last.map(FileLines.text) ?? ""
      guard !last.hasSuffix("\\") else { throw EditProblem("its last line goes on") }
      // A file that ends without a line feed goes on to do so: that is how the way back is known.
      if content.isEmpty || content.last == UInt8(ascii: "\n") { return content + block + [0x0A] }
      return content + [0x0A] + block
    }
  }

  func unmade(in content: [UInt8]) throws(EditProblem) -> [UInt8] {
    guard let range = try range(in: content) else { return content }
    var before = content[..<range.lowerBound]
    let after = content[range.upperBound...]
    if after.isEmpty, content.last != UInt8(ascii: "\n"), before.last == UInt8(ascii: "\n") {
      before.removeLast()
    }
    return Array(before + after)
  }

  /// How many bytes a byte order mark takes at the beginning.
  private func mark(of content: [UInt8]) -> Int {
    content.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  private var block: [UInt8] {
    Array(([opening] + lines + [closing]).joined(separator: "\n").utf8)
  }

  /// From the opening line to the end of the closing one; nil when there is no block.
  private func range(in content: [UInt8]) throws(EditProblem) -> Range<Int>? {
    let all = FileLines(Array(content.dropFirst(mark(of: content)))).lines
    let begins = all.filter { FileLines.text($0) == opening }
    let ends = all.filter { FileLines.text($0) == closing }
    if begins.isEmpty, ends.isEmpty { return nil }
    guard begins.count == 1, ends.count == 1, begins[0].startIndex < ends[0].startIndex else {
      throw EditProblem("the lines that mark what is ours are not one pair")
    }
    let offset = mark(of: content)
    return (offset + begins[0].startIndex)..<(offset + ends[0].endIndex)
  }
}
