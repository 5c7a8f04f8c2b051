import FoundationEssentials
import Glibc

/// What a tool writes to our standard input, of at most ``limit`` bytes in all.
struct ToolInput {
  /// No request is longer, in bytes.
  static let limit = 1 << 20

  private var unread: [UInt8] = []
  private var total = 0
  private var isAtEnd = false

  /// The next line without its line feed; nil at the end.
  mutating func line() throws(Failure) -> [UInt8]? {
    while true {
      if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
        defer { unread.removeFirst(end + 1) }
        return Array(unread[..<end])
      }
      guard try more() else { break }
    }
    defer { unread = [] }
    return unread.isEmpty ? nil : unread
  }

  /// Everything up to the end.
  mutating func rest() throws(Failure) -> [UInt8] {
    while try more() {}
    defer { unread = [] }
    return unread
  }

  /// Everything up to the end, as text without the blanks around it.
  mutating func text() throws(Failure) -> String {
    let isBlank = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
    let bytes = try rest().drop(while: isBlank)
    let end = bytes.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? bytes.startIndex
    guard let text = String(validating: bytes[..<end], as: UTF8.self) else {
      throw Failure(.fixTheInput, "the request is not UTF-8")
    }
    return text
  }

  /// Everything up to the end, as JSON.
  mutating func json<Value: Decodable>(_ type: Value.Type) throws(Failure) -> Value {
    guard let value = try? JSONDecoder().decode(type, from: Data(rest())) else {
      throw Failure(.fixTheInput, "the request is not the JSON object that is expected")
    }
    return value
  }

  private mutating func more() throws(Failure) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while !isAtEnd {
      let count = read(STDIN_FILENO, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Failure(.fixTheInput, "standard input cannot be read") }
      isAtEnd = count == 0
      total += count
      guard total <= Self.limit else {
        throw Failure(.fixTheInput, "the request is longer than 1 MiB")
      }
      unread += chunk[..<count]
      if count > 0 { return true }
    }
    return false
  }
}
