import FoundationEssentials

/// One JSON object as servers send it (RFC 8259), read member by member.
struct JSONObject {
  private static let depthLimit = 32
  private let members: [String: JSONValue]

  /// Reads an object; nil for anything else: another value, invalid UTF-8, a byte order mark,
  /// nesting beyond 32, a repeated member.
  init?(_ body: [UInt8]) {
    // RFC 8259 §8.1: "Implementations MUST NOT add a byte order mark (U+FEFF) to the beginning of
    // a networked-transmitted JSON text."
    guard !body.starts(with: [0xEF, 0xBB, 0xBF]), Self.isUnambiguous(body),
      String(validating: body, as: UTF8.self) != nil,
      let members = try? JSONDecoder().decode([String: JSONValue].self, from: Data(body))
    else { return nil }
    self.members = members
  }

  /// A member's value; nil when it is absent or null.
  subscript(name: String) -> JSONValue? {
    members[name].flatMap { $0 == .null ? nil : $0 }
  }

  /// A member that must be a string if it is there.
  func string(_ name: String) throws(OAuthError) -> String? {
    guard let value = self[name] else { return nil }
    guard case .string(let text) = value else { throw .malformed("\(name) is not a string") }
    return text
  }

  /// A member that must be a list of strings if it is there.
  func strings(_ name: String) throws(OAuthError) -> [String]? {
    guard let value = self[name] else { return nil }
    guard case .array(let values) = value else { throw .malformed("\(name) is not a list") }
    var strings: [String] = []
    for value in values {
      guard case .string(let text) = value else {
        throw .malformed("\(name) holds something else than strings")
      }
      strings.append(text)
    }
    return strings
  }

  /// Whether every reader would read the same members.
  ///
  /// RFC 8259 §4: "When the names within an object are not unique, the behavior of software that
  /// receives such an object is unpredictable." The decoder keeps one of them silently. A name
  /// written with an escape could hide a repetition; no member we know needs one.
  private static func isUnambiguous(_ body: [UInt8]) -> Bool {
    var depth = 0
    var nameFollows = false
    var names: Set<[UInt8]> = []
    var index = 0
    while index < body.count {
      switch body[index] {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        guard depth <= depthLimit else { return false }
        nameFollows = depth == 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ","): nameFollows = depth == 1
      case UInt8(ascii: "\""):
        let start = index + 1
        index = start
        while index < body.count, body[index] != UInt8(ascii: "\"") {
          index += body[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard index < body.count else { return false }
        if nameFollows {
          let name = Array(body[start..<index])
          guard !name.contains(UInt8(ascii: "\\")), names.insert(name).inserted else {
            return false
          }
        }
        nameFollows = false
      default: break
      }
      index += 1
    }
    return true
  }
}

/// One JSON value.
enum JSONValue: Equatable, Decodable {
  case null
  case bool(Bool)
  case string(String)
  case number(Double)
  case array([JSONValue])
  case object
  /// A number that no `Double` can hold.
  case unreadable

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let text = try? container.decode(String.self) {
      self = .string(text)
    } else if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else if let bool = try? container.decode(Bool.self) {
      self = .bool(bool)
    } else if let values = try? container.decode([JSONValue].self) {
      self = .array(values)
    } else if (try? decoder.container(keyedBy: NoKey.self)) != nil {
      self = .object
    } else {
      self = .unreadable
    }
  }

  private enum NoKey: CodingKey {}
}
