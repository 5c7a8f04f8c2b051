import Basics
import HTTP

/// One JSON object as servers send it, read member by member.
struct JSONObject {
  let members: [JSONValue.Member]

  /// Reads an object on which a decision rests; nil for anything else: another value, invalid
  /// UTF-8, nesting beyond 32, a repeated member.
  ///
  /// RFC 8259 §4: "When the names within an object are not unique, the behavior of software that
  /// receives such an object is unpredictable."
  init?(_ body: [UInt8]) {
    guard let members = JSONReader.members(of: body, isLenient: false),
      Set(members.map(\.name)).count == members.count
    else { return nil }
    self.members = members
  }

  /// Reads a response that gives something, so that no oddity of its form costs what it gives: JSON
  /// whose members can be read, or a form (`application/x-www-form-urlencoded`).
  ///
  /// - Returns: nil when no member can be read.
  init?(given response: HTTPResponse) {
    let form = Self.form(response.body)
    let json = JSONReader.members(of: response.body, isLenient: true)
    let isForm = response.mediaType == "application/x-www-form-urlencoded"
    // By the type it claims, then by its look.
    guard
      let members = (isForm ? [form, json] : [json, form]).compactMap(\.self)
        .first(where: { !$0.isEmpty })
    else { return nil }
    self.members = members
  }

  init(members: [JSONValue.Member]) {
    self.members = members
  }

  /// A member's value, the last one where it is repeated; nil when it is absent, null or an empty
  /// string.
  subscript(name: String) -> JSONValue? {
    members.last { $0.name == name && $0.value != .null && $0.value != .string("") }?.value
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
    return try values.map { value throws(OAuthError) in
      guard case .string(let text) = value else {
        throw .malformed("\(name) holds something else than strings")
      }
      return text
    }
  }

  /// The fields of a form; nil when it does not look like one.
  private static func form(_ body: [UInt8]) -> [JSONValue.Member]? {
    let isName: (UInt8) -> Bool = {
      (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || $0 == UInt8(ascii: "_")
    }
    let text = body.drop { $0 <= 0x20 || $0 >= 0x80 }
    let name = text.prefix(while: isName)
    guard !name.isEmpty, text[name.endIndex...].first == UInt8(ascii: "=") else { return nil }
    let line = text.prefix { $0 > 0x20 }
    return line.split(separator: UInt8(ascii: "&")).prefix(64).compactMap { pair in
      let name = pair.prefix { $0 != UInt8(ascii: "=") }
      guard let key = PercentEncoding.decodeForm(name),
        let value = PercentEncoding.decodeForm(pair[name.endIndex...].dropFirst())
      else { return nil }
      return JSONValue.Member(name: key, value: .string(value))
    }
  }
}
