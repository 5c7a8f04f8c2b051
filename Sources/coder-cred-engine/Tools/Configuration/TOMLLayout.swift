/// Where tables and keys stand in a TOML document (TOML 1.0), so that one key can be added or taken
/// away and every other byte stays.
///
/// It reads as much of the format as tells a broken document from a sound one: lines, keys, strings
/// of all four kinds, and the nesting of arrays and inline tables.
struct TOMLLayout {
  /// A header such as `[registry]`, as places in the document.
  struct Table {
    let name: [String]
    /// Whether it is one of an array of tables.
    let isElement: Bool
    /// Where the line after it begins.
    let end: Int
  }

  /// A key with its value, as places in the document.
  struct Entry {
    /// The table that it stands in; empty before the first header.
    let table: [String]
    let key: [String]
    let value: Range<Int>
    let line: Range<Int>
  }

  private(set) var tables: [Table] = []
  private(set) var entries: [Entry] = []

  private let bytes: [UInt8]
  private var index = 0

  /// Reads a document.
  ///
  /// - Throws: ``EditProblem`` when it is broken.
  init(_ content: [UInt8]) throws(EditProblem) {
    bytes = content
    index = content.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var table: [String] = []
    while true {
      skipBlanksAndComments(lines: true)
      guard let byte = current else { break }
      let start = index
      if byte == UInt8(ascii: "[") {
        let isElement = bytes[index...].starts(with: "[[".utf8)
        index += isElement ? 2 : 1
        table = try key()
        for _ in 0..<(isElement ? 2 : 1) { try expect(UInt8(ascii: "]")) }
        try endLine()
        if !isElement {
          guard !tables.contains(where: { !$0.isElement && $0.name == table }) else {
            throw broken
          }
        }
        tables.append(Table(name: table, isElement: isElement, end: index))
      } else {
        let key = try key()
        try expect(UInt8(ascii: "="))
        skipBlanks()
        let value = index
        try skipValue(depth: 0)
        let end = index
        try endLine()
        entries.append(Entry(table: table, key: key, value: value..<end, line: start..<index))
      }
    }
  }

  /// The entries with this whole name, however its parts are spread over headers and keys.
  func entries(named name: [String]) -> [Entry] { entries.filter { $0.table + $0.key == name } }

  /// Whether anything is defined at or below this name.
  func defines(_ name: [String]) -> Bool {
    tables.contains { $0.name.starts(with: name) }
      || entries.contains { ($0.table + $0.key).starts(with: name) }
  }

  /// The strings of an array, with their quotation marks; nil when the value is something else.
  func strings(in value: Range<Int>) -> [Range<Int>]? {
    var reader = self
    reader.index = value.lowerBound + 1
    guard bytes[value.lowerBound] == UInt8(ascii: "[") else { return nil }
    var strings: [Range<Int>] = []
    while reader.index < value.upperBound - 1 {
      reader.skipBlanksAndComments(lines: true)
      if reader.current == UInt8(ascii: ",") {
        reader.index += 1
      } else if reader.current != UInt8(ascii: "]") {
        let start = reader.index
        guard [UInt8(ascii: "\""), UInt8(ascii: "'")].contains(reader.current),
          (try? reader.skipString()) != nil
        else { return nil }
        strings.append(start..<reader.index)
      }
    }
    return strings
  }

  private var broken: EditProblem {
    let line = bytes[..<min(index, bytes.count)].filter { $0 == UInt8(ascii: "\n") }.count + 1
    return EditProblem("line \(line) is not TOML")
  }

  private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

  private mutating func skipBlanks() {
    while let byte = current, byte == 0x20 || byte == 0x09 { index += 1 }
  }

  private mutating func skipBlanksAndComments(lines: Bool) {
    while let byte = current {
      if byte == UInt8(ascii: "#") {
        while let byte = current, byte != UInt8(ascii: "\n") { index += 1 }
      } else if byte == 0x20 || byte == 0x09 || lines && (byte == 0x0A || byte == 0x0D) {
        index += 1
      } else {
        return
      }
    }
  }

  private mutating func expect(_ byte: UInt8) throws(EditProblem) {
    skipBlanks()
    guard current == byte else { throw broken }
    index += 1
  }

  private mutating func endLine() throws(EditProblem) {
    skipBlanksAndComments(lines: false)
    if current == 0x0D { index += 1 }
    guard let byte = current else { return }
    guard byte == UInt8(ascii: "\n") else { throw broken }
    index += 1
  }

  /// A key of bare and quoted parts between dots.
  private mutating func key() throws(EditProblem) -> [String] {
    var parts: [String] = []
    while true {
      skipBlanks()
      let start = index
      switch current {
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        try skipString()
        parts.append(String(decoding: bytes[(start + 1)..<(index - 1)], as: UTF8.self))
      default:
        while let byte = current, Self.isBare(byte) { index += 1 }
        guard index > start else { throw broken }
        parts.append(String(decoding: bytes[start..<index], as: UTF8.self))
      }
      skipBlanks()
      guard current == UInt8(ascii: ".") else { return parts }
      index += 1
    }
  }

  private static func isBare(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
      || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
  }

  private mutating func skipValue(depth: Int) throws(EditProblem) {
    guard let byte = current, depth < 32 else { throw broken }
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "'"): try skipString()
    case UInt8(ascii: "["):
      index += 1
      while true {
        skipBlanksAndComments(lines: true)
        if current == UInt8(ascii: "]") { break }
        try skipValue(depth: depth + 1)
        skipBlanksAndComments(lines: true)
        guard current == UInt8(ascii: ",") else { break }
        index += 1
      }
      guard current == UInt8(ascii: "]") else { throw broken }
      index += 1
    case UInt8(ascii: "{"):
      index += 1
      skipBlanks()
      while current != UInt8(ascii: "}") {
        _ = try key()
        try expect(UInt8(ascii: "="))
        skipBlanks()
        try skipValue(depth: depth + 1)
        skipBlanks()
        guard current == UInt8(ascii: ",") else { break }
        index += 1
        skipBlanks()
      }
      guard current == UInt8(ascii: "}") else { throw broken }
      index += 1
    default:
      let start = index
      while let byte = current, Self.isBare(byte) || "+.:".utf8.contains(byte) { index += 1 }
      guard index > start else { throw broken }
    }
  }

  /// A string in one or three quotation marks; backslashes mean something within double ones.
  private mutating func skipString() throws(EditProblem) {
    guard let quote = current else { throw broken }
    let isLong = bytes[index...].starts(with: [quote, quote, quote])
    index += isLong ? 3 : 1
    while let byte = current {
      if byte == 0x5C, quote == UInt8(ascii: "\"") {
        index += 2
      } else if byte == quote, !isLong || bytes[index...].starts(with: [quote, quote, quote]) {
        index += isLong ? 3 : 1
        // Up to two quotation marks may stand right before the closing three.
        while isLong, current == quote { index += 1 }
        return
      } else if byte == UInt8(ascii: "\n"), !isLong {
        throw broken
      } else {
        index += 1
      }
    }
    throw broken
  }
}
