/// One name and value, as a header, a query or a form carries it.
struct Field: Sendable, Equatable {
  var name: String
  var value: String
}

/// The fields of a query or of an `application/x-www-form-urlencoded` body, in the order sent.
struct Parameters: Sendable {
  var fields: [Field] = []

  init() {}

  init(urlEncoded text: some StringProtocol) {
    for pair in text.utf8.split(separator: UInt8(ascii: "&")) {
      let parts = pair.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      fields.append(
        Field(
          name: Percent.decoded(Array(parts[0]), plusIsSpace: true),
          value: parts.count > 1 ? Percent.decoded(Array(parts[1]), plusIsSpace: true) : ""))
    }
  }

  /// The first value, with an empty one counting as none, as the real server reads its parameters.
  subscript(_ name: String) -> String? {
    guard let value = fields.first(where: { $0.name == name })?.value, !value.isEmpty else {
      return nil
    }
    return value
  }

  var names: [String] { fields.map(\.name) }

  func has(_ name: String) -> Bool { fields.contains { $0.name == name } }

  func isRepeated(_ name: String) -> Bool { fields.count { $0.name == name } > 1 }

  func repeated(of known: [String]) -> String? { known.first(where: isRepeated) }

  func unknown(beside known: [String]) -> String? { names.first { !known.contains($0) } }

  var encoded: String {
    fields.map { Percent.encoded($0.name) + "=" + Percent.encoded($0.value) }
      .joined(separator: "&")
  }
}

enum Percent {
  static func decoded(_ bytes: [UInt8], plusIsSpace: Bool) -> String {
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let value = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
      {
        result.append(value)
        index += 3
        continue
      }
      let isPlus = plusIsSpace && bytes[index] == UInt8(ascii: "+")
      result.append(isPlus ? UInt8(ascii: " ") : bytes[index])
      index += 1
    }
    return String(decoding: result, as: UTF8.self)
  }

  static func encoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
    return result
  }
}
