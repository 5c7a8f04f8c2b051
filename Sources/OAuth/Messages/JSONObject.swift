import Basics
import HTTP

/// One JSON object as servers send it, read member by member.
struct JSONObject {
  let members: [JSONValue.Member]

  /// Reads an object on which a decision rests; nil for anything else: another value, invalid
  /// UTF-8, nesting beyond 32. A member that is repeated with another value counts as absent.
  ///
  /// RFC 8259 §4: "When the names within an object are not unique, the behavior of software that
  /// receives such an object is unpredictable."
  init?(_ body: [UInt8]) {
    guard let members = JSONReader.members(of: body, isLenient: false) else { return nil }
    var values: [String: JSONValue] = [:]
    var ambiguous: Set<String> = []
    for member in members {
      let former = values.updateValue(member.value, forKey: member.name)
      if let former, former != member.value { ambiguous.insert(member.name) }
    }
    self.members = members.filter { !ambiguous.contains($0.name) }
  }

  /// Reads a response that gives something, so that no oddity of its form costs what it gives: JSON
  /// whose members can be read, or a form (`application/x-www-form-urlencoded`).
  ///
  /// - Returns: nil when no member can be read, and for a response that was cut off before the end
  ///   of its object: a part of a token would pass for the whole.
  init?(given response: HTTPResponse) {
    let body = JSONReader.utf8(response.body)
    guard response.cutOff == nil || Self(body) != nil else { return nil }
    let form = Self.form(body)
    let json = JSONReader.members(of: body, isLenient: true)
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
      // A token holds no blank: where a plus stands in one, it was not written as %2B.
      let value = pair[name.endIndex...].dropFirst()
      guard let key = PercentEncoding.decodeForm(name),
        let value = key.hasSuffix("_token")
          ? PercentEncoding.decodeText(value) : PercentEncoding.decodeForm(value)
      else { return nil }
      return JSONValue.Member(name: key, value: .string(value))
    }
  }
}
