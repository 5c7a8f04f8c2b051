import FoundationEssentials
import OAuth

/// Where the members of an object stand in a JSON document, so that one can be added or taken away
/// and every other byte stays.
struct JSONLayout {
  /// One member of an object, as places in the document.
  struct Member {
    let name: String
    let start: Int
    let value: Range<Int>
    /// The comma after it.
    let comma: Int?
  }

  /// One object, as places in the document.
  struct Object {
    /// Of its braces.
    let open: Int
    let close: Int
    let members: [Member]
  }

  /// The document, with comments and trailing commas blanked out.
  private let bytes: [UInt8]

  /// Reads a document.
  ///
  /// - Parameters:
  ///   - content: the document.
  ///   - allowsComments: whether it may hold comments and trailing commas, as editors' settings do.
  /// - Throws: ``EditProblem`` unless it is one valid object.
  init(_ content: [UInt8], allowsComments: Bool) throws(EditProblem) {
    bytes = allowsComments ? Self.plain(content) : content
    guard isJSONObject(bytes) else { throw EditProblem("it is not one valid JSON object") }
  }

  /// The outermost object.
  var root: Object { object(at: bytes.firstIndex(of: UInt8(ascii: "{")) ?? 0) }

  /// The object that a member's value is; nil when it is something else.
  func object(of member: Member) -> Object? {
    bytes[member.value.lowerBound] == UInt8(ascii: "{") ? object(at: member.value.lowerBound) : nil
  }

  /// Whether there are only blanks between two places.
  func isBlank(_ range: Range<Int>) -> Bool { bytes[range].allSatisfy(\.isJSONBlank) }

  private func object(at open: Int) -> Object {
    var members: [Member] = []
    var index = blanksEnd(open + 1)
    while bytes[index] != UInt8(ascii: "}") {
      let start = index
      let nameEnd = valueEnd(start)
      let name = try? JSONDecoder().decode(String.self, from: Data(bytes[start..<nameEnd]))
      let value = blanksEnd(blanksEnd(nameEnd) + 1)
      let end = valueEnd(value)
      let next = blanksEnd(end)
      let comma = bytes[next] == UInt8(ascii: ",") ? next : nil
      members.append(Member(name: name ?? "", start: start, value: value..<end, comma: comma))
      index = comma.map { blanksEnd($0 + 1) } ?? next
    }
    return Object(open: open, close: index, members: members)
  }

  private func blanksEnd(_ start: Int) -> Int {
    var index = start
    while bytes[index].isJSONBlank { index += 1 }
    return index
  }

  /// The end of the value that begins here; the document is known to be valid.
  private func valueEnd(_ start: Int) -> Int {
    var index = start
    var depth = 0
    repeat {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        index += 1
        while bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == 0x5C ? 2 : 1 }
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default:
        // A number or a word, up to what ends it.
        let ends = Array(",]}".utf8)
        while index + 1 < bytes.count, !ends.contains(bytes[index + 1]),
          !bytes[index + 1].isJSONBlank, depth == 0
        { index += 1 }
      }
      index += 1
    } while depth > 0
    return index
  }

  /// The document with blanks in place of comments, and of commas that nothing follows.
  private static func plain(_ content: [UInt8]) -> [UInt8] {
    var bytes = content
    var index = 0
    var lastComma: Int?
    while index < bytes.count {
      let end: Int
      switch bytes[index] {
      case UInt8(ascii: "\""):
        lastComma = nil
        index += 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
          index += bytes[index] == 0x5C ? 2 : 1
        }
        index += 1
        continue
      case UInt8(ascii: "/") where bytes[index...].starts(with: "//".utf8):
        end = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      case UInt8(ascii: "/") where bytes[index...].starts(with: "/*".utf8):
        var close = index + 2
        while close < bytes.count, !bytes[close...].starts(with: "*/".utf8) { close += 1 }
        // One that does not end stays, and makes the document invalid.
        guard close < bytes.count else { return bytes }
        end = close + 2
      case UInt8(ascii: ","):
        lastComma = index
        index += 1
        continue
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if let comma = lastComma { bytes[comma] = 0x20 }
        lastComma = nil
        index += 1
        continue
      case let byte:
        if !byte.isJSONBlank { lastComma = nil }
        index += 1
        continue
      }
      for place in index..<end where bytes[place] != UInt8(ascii: "\n") { bytes[place] = 0x20 }
      index = end
    }
    return bytes
  }
}
