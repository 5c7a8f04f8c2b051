/// Our name in cargo's list of credential providers, `registry.global-credential-providers`.
struct CargoProvider: FileEdit {
  /// The provider as cargo is to run it.
  let provider: String

  private static let key = ["registry", "global-credential-providers"]
  private static let comment = "  # coder-cred configure cargo"

  /// The Cargo Book: providers "are attempted in the reverse order" of the list, and it is
  /// `["cargo:token"]` where there is none.
  private var line: String { "global-credential-providers = [\"cargo:token\", \"\(provider)\"]" }
  private var block: MarkedBlock { MarkedBlock(name: "cargo", lines: ["[registry]", line]) }

  var shown: String { block.shown }

  func made(in content: [UInt8]) throws(EditProblem) -> [UInt8] {
    // What is there may name us at another place.
    let others = try unmade(in: content)
    let text = String(decoding: content, as: UTF8.self)
    if others != content, text.contains("\"\(provider)\"") { return content }
    let layout = try TOMLLayout(others)
    if let entry = layout.entries(named: Self.key).first {
      guard let strings = layout.strings(in: entry.value) else { throw .taken("the providers") }
      let place = strings.last?.upperBound ?? entry.value.lowerBound + 1
      let comma = strings.isEmpty ? "" : ", "
      return Array(others[..<place]) + Array("\(comma)\"\(provider)\"".utf8) + others[place...]
    }
    if let table = layout.tables.first(where: { $0.name == ["registry"] && !$0.isElement }) {
      let isEnded = others[..<table.end].last == UInt8(ascii: "\n")
      let line = isEnded ? "\(line)\(Self.comment)\n" : "\n\(line)\(Self.comment)"
      return Array(others[..<table.end]) + Array(line.utf8) + others[table.end...]
    }
    guard
      !layout.entries.contains(where: {
        ($0.table + $0.key).first == "registry" && $0.table.count < 2
      }),
      !layout.tables.contains(where: { $0.name == ["registry"] })
    else { throw EditProblem("its registry table is written in a way that cannot be added to") }
    return try block.made(in: others)
  }

  func unmade(in content: [UInt8]) throws(EditProblem) -> [UInt8] {
    let layout = try TOMLLayout(content)
    let without = try block.unmade(in: content)
    if without != content { return without }
    guard let entry = layout.entries(named: Self.key).first else { return content }
    let line = FileLines.text(content[entry.line])
    if line.hasSuffix(Self.comment) { return removing(entry.line, of: content) }
    let strings = layout.strings(in: entry.value) ?? []
    guard
      let index = strings.firstIndex(where: {
        String(decoding: content[$0], as: UTF8.self).contains(CargoProtocol.name)
      })
    else { return content }
    // With the comma before it, or the one after it.
    let start = index > 0 ? strings[index - 1].upperBound : strings[index].lowerBound
    let end =
      index == 0 && strings.count > 1 ? strings[1].lowerBound : strings[index].upperBound
    return Array(content[..<start]) + content[end...]
  }

  private func removing(_ line: Range<Int>, of content: [UInt8]) -> [UInt8] {
    let isLast = line.upperBound == content.count && content.last != UInt8(ascii: "\n")
    return Array(content[..<(line.lowerBound - (isLast ? 1 : 0))]) + content[line.upperBound...]
  }
}
