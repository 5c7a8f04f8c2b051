import Basics

/// Reads one flat JSON object (RFC 8259) of texts, whole numbers and nulls.
struct PayloadReader {
  enum Value {
    case text(String)
    case number(Int64)
    case null
  }

  let bytes: [UInt8]
  private var index = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  mutating func readObject(
    _ member: (String, Value) throws(MalformedInput) -> Void
  ) throws(MalformedInput) {
    try expect("{")
    if !skip("}") {
      repeat {
        let key = try readText()
        try expect(":")
        try member(key, try readValue())
      } while skip(",")
      try expect("}")
    }
    skipBlanks()
    guard index == bytes.count else { throw .payload(reason: "something follows it") }
  }

  private mutating func readValue() throws(MalformedInput) -> Value {
    skipBlanks()
    guard index < bytes.count else { throw .payload(reason: "it ends too early") }
    switch bytes[index] {
    case UInt8(ascii: "\""): return .text(try readText())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try readNumber())
    case UInt8(ascii: "n") where bytes[index...].starts(with: "null".utf8):
      index += 4
      return .null
    default: throw .payload(reason: "it is not a flat JSON object")
    }
  }

  private mutating func readText() throws(MalformedInput) -> String {
    try expect("\"")
    guard let end = bytes[index...].firstIndex(of: UInt8(ascii: "\"")) else {
      throw .payload(reason: "a text is not closed")
    }
    let raw = bytes[index..<end]
    index = end + 1
    guard !raw.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\\") }) else {
      throw .payload(reason: "a text holds an escape or a control character")
    }
    let isPlain = !raw.contains(UInt8(ascii: "%"))
    guard let decoded = isPlain ? Array(raw) : PercentEncoding.decode(raw),
      let text = String(validating: decoded, as: UTF8.self)
    else { throw .payload(reason: "a text is badly encoded") }
    return text
  }

  private mutating func readNumber() throws(MalformedInput) -> Int64 {
    let end = bytes[index...].firstIndex { !($0.isASCIIDigit || $0 == UInt8(ascii: "-")) }
    let digits = bytes[index..<(end ?? bytes.endIndex)]
    index += digits.count
    guard let number = Int64(String(decoding: digits, as: UTF8.self)) else {
      throw .payload(reason: "a number is not whole")
    }
    return number
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(MalformedInput) {
    guard skip(character) else { throw .payload(reason: "it is not a flat JSON object") }
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  private mutating func skipBlanks() {
    while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
  }
}
