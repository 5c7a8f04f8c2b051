/// Our command in `GOAUTH`, in the file that `go env -w` writes.
struct GoVariable: FileEdit {
  /// The command that Go is to run.
  let command: String

  private static let name = "GOAUTH="
  private static let mark = "header --format goauth"

  /// Go asks `.netrc` where nothing is set; that stays.
  private var line: String { "\(Self.name)\(command);netrc" }

  var shown: String { line }

  func made(in content: [UInt8]) throws(EditProblem) -> [UInt8] {
    let others = try unmade(in: content)
    guard let present = Self.line(of: others) else {
      if others.isEmpty || others.last == UInt8(ascii: "\n") {
        return others + Array("\(line)\n".utf8)
      }
      return others + Array("\n\(line)".utf8)
    }
    let value = FileLines.text(present).utf8.dropFirst(Self.name.utf8.count)
    // `off` and nothing else is how Go is told to ask nobody.
    guard !value.elementsEqual("off".utf8) else { throw .taken("GOAUTH") }
    let start = present.startIndex + Self.name.utf8.count
    return Array(others[..<start]) + Array("\(command); ".utf8) + others[start...]
  }

  func unmade(in content: [UInt8]) throws(EditProblem) -> [UInt8] {
    guard let present = Self.line(of: content) else { return content }
    let text = FileLines.text(present).dropFirst(Self.name.count)
    // The first command is ours, if any is.
    guard let end = text.utf8.firstIndex(of: UInt8(ascii: ";")), text[..<end].hasSuffix(Self.mark),
      text[..<end].contains("coder-cred")
    else { return content }
    if text[end...] == ";netrc" {
      let isLast = present.endIndex == content.count && present.last != UInt8(ascii: "\n")
      let start = present.startIndex - (isLast && present.startIndex > 0 ? 1 : 0)
      return Array(content[..<start]) + content[present.endIndex...]
    }
    let start = present.startIndex + Self.name.utf8.count
    return Array(content[..<start]) + content[(start + text[...end].utf8.count + 1)...]
  }

  private static func line(of content: [UInt8]) -> ArraySlice<UInt8>? {
    FileLines(content).lines.last { $0.starts(with: name.utf8) }
  }
}
