import Basics

/// Reads JSON (RFC 8259) byte by byte.
///
/// A strict reader takes a whole, valid document or nothing. A lenient one is for responses whose
/// loss would cost more than their oddity: it takes every member of the outermost object that can
/// be read, whatever stands around it.
struct JSONReader {
  /// How deep arrays and objects may nest. Deeper values are passed over, or invalid to a strict
  /// reader.
  private static let depthLimit = 32
  /// How far from its beginning a document's object may begin to a lenient reader, in bytes.
  private static let prefixLimit = 2048

  private let bytes: [UInt8]
  private let isLenient: Bool
  private var index: Int

  /// Begins at a byte order mark, if there is one, or at the document.
  ///
  /// RFC 8259 §8.1: "implementations that parse JSON texts MAY ignore the presence of a byte order
  /// mark rather than treating it as an error."
  init(_ bytes: [UInt8], isLenient: Bool) {
    self.bytes = bytes
    self.isLenient = isLenient
    index = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  /// A document's bytes in UTF-8, as RFC 8259 §8.1 wants them; from UTF-16 when zeros among the first
  /// bytes show that it is that, for the first two characters of an object are ASCII.
  static func utf8(_ bytes: [UInt8]) -> [UInt8] {
    let isLittleEndian: Bool
    switch (bytes.first, bytes.dropFirst().first) {
    case (0xFF, 0xFE), (UInt8(ascii: "{"), 0): isLittleEndian = true
    case (0xFE, 0xFF), (0, UInt8(ascii: "{")): isLittleEndian = false
    default: return bytes
    }
    let units = stride(from: 0, to: bytes.count - 1, by: 2).map { index in
      let (low, high) = isLittleEndian ? (index, index + 1) : (index + 1, index)
      return UInt16(bytes[high]) << 8 | UInt16(bytes[low])
    }
    return Array(
      String(decoding: units.first == 0xFEFF ? units.dropFirst() : units[...], as: UTF16.self).utf8)
  }

  /// The members of a document that is one object; nil when it is not, to a lenient reader when no
  /// object begins near its beginning.
  static func members(of bytes: [UInt8], isLenient: Bool) -> [JSONValue.Member]? {
    var reader = JSONReader(bytes, isLenient: isLenient)
    if isLenient { return reader.lenientMembers() }
    guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
    reader.skipBlanks()
    guard reader.current == UInt8(ascii: "{"), case .object(let members) = reader.value(depth: 1)
    else { return nil }
    reader.skipBlanks()
    return reader.current == nil ? members : nil
  }

  /// Every member that can be read. What cannot be is passed over up to the next comma.
  private mutating func lenientMembers() -> [JSONValue.Member]? {
    skipBlanks()
    // An object that was written as JSON twice is the text of a string.
    if current == UInt8(ascii: "\""), let text = string() {
      var reader = JSONReader(Array(text.utf8), isLenient: true)
      reader.skipBlanks()
      return reader.current == UInt8(ascii: "{") ? reader.lenientMembers() : nil
    }
    // What stands before the object is a guard against inclusion by a script, or a library's
    // warning. Markup is a page, which holds no response.
    let start = bytes[index...].prefix(Self.prefixLimit).prefix { $0 != UInt8(ascii: "<") }
      .firstIndex(of: UInt8(ascii: "{"))
    guard let start else { return nil }
    index = start + 1
    skipBlanks()
    var members: [JSONValue.Member] = []
    while let byte = current, byte != UInt8(ascii: "}") {
      let before = index
      if byte == UInt8(ascii: "\""), let name = string(), skip(UInt8(ascii: ":")),
        let value = value(depth: 2)
      {
        members.append(JSONValue.Member(name: name, value: value))
      } else {
        index = before
        skipValue()
      }
      while let byte = current, byte == UInt8(ascii: ",") || Self.isBlank(byte) { index += 1 }
      // A closing bracket without its partner.
      if index == before { index += 1 }
    }
    return members
  }

  private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }

  private mutating func skipBlanks() {
    while let byte = current, Self.isBlank(byte) { index += 1 }
  }

  /// Passes over blanks and one byte; false when another byte stands there.
  private mutating func skip(_ byte: UInt8) -> Bool {
    skipBlanks()
    guard current == byte else { return false }
    index += 1
    skipBlanks()
    return true
  }

  private mutating func skip(word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    let expected = UnsafeBufferPointer(start: word.utf8Start, count: count)
    guard bytes[index...].starts(with: expected) else { return false }
    index += count
    return true
  }

  private mutating func value(depth: Int) -> JSONValue? {
    guard let byte = current else { return nil }
    switch byte {
    case UInt8(ascii: "\""): return string().map(JSONValue.string)
    case UInt8(ascii: "{"):
      return depth <= Self.depthLimit ? object(depth: depth) : nil
    case UInt8(ascii: "["):
      return depth <= Self.depthLimit ? array(depth: depth) : nil
    case UInt8(ascii: "t"): return skip(word: "true") ? .bool(true) : nil
    case UInt8(ascii: "f"): return skip(word: "false") ? .bool(false) : nil
    case UInt8(ascii: "n"): return skip(word: "null") ? .null : nil
    default: return number()
    }
  }

  private mutating func object(depth: Int) -> JSONValue? {
    var members: [JSONValue.Member] = []
    index += 1
    skipBlanks()
    if skip(UInt8(ascii: "}")) { return .object([]) }
    while true {
      guard current == UInt8(ascii: "\""), let name = string(), skip(UInt8(ascii: ":")),
        let value = value(depth: depth + 1)
      else { return nil }
      members.append(JSONValue.Member(name: name, value: value))
      skipBlanks()
      if current == UInt8(ascii: "}") {
        index += 1
        return .object(members)
      }
      guard skip(UInt8(ascii: ",")) else { return nil }
    }
  }

  private mutating func array(depth: Int) -> JSONValue? {
    var values: [JSONValue] = []
    index += 1
    skipBlanks()
    if current == UInt8(ascii: "]") {
      index += 1
      return .array([])
    }
    while let value = value(depth: depth + 1) {
      values.append(value)
      skipBlanks()
      if current == UInt8(ascii: "]") {
        index += 1
        return .array(values)
      }
      guard skip(UInt8(ascii: ",")) else { return nil }
    }
    return nil
  }

  /// RFC 8259 §6: "number = [ minus ] int [ frac ] [ exp ]".
  private mutating func number() -> JSONValue? {
    let start = index
    if current == UInt8(ascii: "-") { index += 1 }
    let first = index
    guard digits() > 0, index == first + 1 || bytes[first] != UInt8(ascii: "0") else { return nil }
    if current == UInt8(ascii: ".") {
      index += 1
      guard digits() > 0 else { return nil }
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      index += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
      guard digits() > 0 else { return nil }
    }
    return .number(String(decoding: bytes[start..<index], as: UTF8.self))
  }

  private mutating func digits() -> Int {
    let start = index
    while let byte = current, (0x30...0x39).contains(byte) { index += 1 }
    return index - start
  }

  /// The string that begins here; nil when it does not end or, to a strict reader, holds a control
  /// character or a broken escape.
  private mutating func string() -> String? {
    index += 1
    var text: [UInt8] = []
    while let byte = current {
      index += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let scalar = escape() else { return nil }
        text += Array(String(scalar).utf8)
      case ..<0x20 where !isLenient: return nil
      default: text.append(byte)
      }
    }
    return nil
  }

  private mutating func escape() -> Unicode.Scalar? {
    guard let byte = current else { return nil }
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      guard let unit = codeUnit() else { return nil }
      if UTF16.isLeadSurrogate(unit), current == UInt8(ascii: "\\") {
        let before = index
        index += 1
        if current == UInt8(ascii: "u") {
          index += 1
          if let low = codeUnit(), UTF16.isTrailSurrogate(low) {
            return UTF16.decode(UTF16.EncodedScalar([unit, low]))
          }
        }
        index = before
      }
      return Unicode.Scalar(unit) ?? (isLenient ? "\u{FFFD}" : nil)
    default: return isLenient ? "\u{FFFD}" : nil
    }
  }

  private mutating func codeUnit() -> UInt16? {
    guard index + 4 <= bytes.count else { return nil }
    let digits = bytes[index..<(index + 4)].compactMap(PercentEncoding.hexDigit)
    guard digits.count == 4 else { return nil }
    index += 4
    return digits.reduce(0) { $0 << 4 | UInt16($1) }
  }

  /// Passes over anything up to the next comma or closing bracket on the same level.
  private mutating func skipValue() {
    var depth = 0
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        index += 1
        while let byte = current, byte != UInt8(ascii: "\"") {
          index += byte == UInt8(ascii: "\\") ? 2 : 1
        }
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return }
        depth -= 1
      case UInt8(ascii: ","):
        if depth == 0 { return }
      default: break
      }
      index += 1
    }
  }
}

/// Whether a document is one valid JSON object (RFC 8259), nested at most 32 deep.
package func isJSONObject(_ document: [UInt8]) -> Bool {
  JSONReader.members(of: document, isLenient: false) != nil
}
