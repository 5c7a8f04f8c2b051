/// A value that must never be shown: a token, a password, a client secret.
///
/// Printing, dumping or mirroring a `Secret`, or interpolating it into a `String`, shows
/// `<redacted>`. Secrets may be composed into new ones (`let line: Secret = "password=\(secret)"`)
/// and examined without leaving the type: no closure is handed the text or its bytes. They leave it
/// only through ``revealed``, whose uses are counted: requests on their way to the deployment, the
/// output, and the stored payload.
public struct Secret: Sendable, Hashable {
  /// The text itself; every use is a place where a secret leaves the type.
  public var revealed: String { value }

  let value: String

  /// Wraps a text.
  public init(_ value: String) {
    self.value = value
  }

  /// Constant-time comparison: how long it takes depends on the lengths alone.
  public static func == (lhs: Secret, rhs: Secret) -> Bool {
    let left = lhs.value.utf8
    let right = rhs.value.utf8
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
  }

  /// Whether it is one word of visible ASCII: fit for one line, and for a header field.
  public var isWord: Bool { !isEmpty && allBytes { (0x21...0x7E).contains($0) } }

  /// Whether a condition holds for each byte of UTF-8; where they lie together, which is nearly always,
  /// in a tenth of the time.
  private func allBytes(_ condition: (UInt8) -> Bool) -> Bool {
    value.utf8.withContiguousStorageIfAvailable { $0.allSatisfy(condition) }
      ?? value.utf8.allSatisfy(condition)
  }

  /// Whether it can be the value of a cookie (RFC 6265 §4.1.1, `cookie-octet`).
  public var isCookieValue: Bool { isWord && !value.utf8.contains { "\",;\\".utf8.contains($0) } }

  /// The same without blanks and controls, which come along when a token is pasted.
  public var withoutBlanks: Secret {
    Secret(String(decoding: value.utf8.filter { $0 > 0x20 }, as: UTF8.self))
  }

  /// What names a Coder API key: the ten letters and digits before its dash, which lists at the
  /// deployment show; nil for any other secret.
  public var keyID: String? {
    let bytes = Array(value.utf8)
    guard bytes.count > 11, bytes[10] == UInt8(ascii: "-"),
      bytes[..<10].allSatisfy({
        switch $0 {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "a")...UInt8(ascii: "z"):
          true
        default: false
        }
      })
    else { return nil }
    return String(decoding: bytes[..<10], as: UTF8.self)
  }

  /// The same without blanks, controls and quotation marks around it, which come along likewise.
  public var unquoted: Secret {
    let isAround: (UInt8) -> Bool = { $0 <= 0x20 || $0 == 0x7F || "'\"`<>".utf8.contains($0) }
    var bytes = Array(value.utf8)[...]
    while let first = bytes.first, isAround(first) { bytes.removeFirst() }
    while let last = bytes.last, isAround(last) { bytes.removeLast() }
    return Secret(String(decoding: bytes, as: UTF8.self))
  }

  /// Whether there is nothing in it.
  public var isEmpty: Bool { value.isEmpty }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible {
  /// Always `<redacted>`.
  public var description: String { "<redacted>" }
  /// Always `<redacted>`.
  public var debugDescription: String { "<redacted>" }
}

#if !hasFeature(Embedded)
  extension Secret: CustomReflectable {
    /// Shows no children.
    public var customMirror: Mirror { Mirror(self, children: []) }
  }
#endif

extension Secret {
  /// Puts secrets on a line each; nil when one of them holds a line break or NUL.
  public init?(lines: [Secret]) {
    var text = ""
    text.reserveCapacity(lines.reduce(0) { $0 + $1.value.utf8.count + 1 })
    for line in lines {
      guard line.allBytes({ $0 != 0 && $0 != 0x0A && $0 != 0x0D }) else { return nil }
      text += line.value
      text += "\n"
    }
    self.init(text)
  }

  /// A JSON string that holds the secret (RFC 8259 §7), with its quotation marks.
  public var jsonString: Secret { "\"\(ForeignText.jsonString(value))\"" }
}

extension Secret: ExpressibleByStringInterpolation {
  /// Takes a literal; meant for composing secrets.
  public init(stringLiteral value: String) {
    self.init(value)
  }

  /// Takes a composition of texts and secrets.
  public init(stringInterpolation: Composition) {
    self.init(stringInterpolation.text)
  }

  /// Collects the parts of a secret under composition.
  public struct Composition: StringInterpolationProtocol {
    fileprivate var text = ""

    /// Starts an empty composition.
    public init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 64 * interpolationCount)
    }

    /// Adds literal text.
    public mutating func appendLiteral(_ literal: String) { text += literal }

    /// Adds a text.
    public mutating func appendInterpolation(_ value: String) { text += value }

    /// Adds a number.
    public mutating func appendInterpolation(_ value: some BinaryInteger) { text += String(value) }

    /// Adds a secret.
    public mutating func appendInterpolation(_ secret: Secret) { text += secret.value }
  }
}

extension Secret {
  /// A text in which every part of this secret is replaced.
  ///
  /// A part is a run of at least eight bytes of it, or all of it where it is shorter. What has less
  /// than four bytes is no secret, and would make any text unreadable.
  public func redacted(in text: String) -> String {
    let secret = Array(value.utf8)
    let length = min(8, secret.count)
    guard length >= 4 else { return text }
    let parts = Set((0...(secret.count - length)).map { secret[$0..<($0 + length)] })
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var index = 0
    // Where the last part found ends.
    var end = 0
    while index < bytes.count {
      if index + length <= bytes.count, parts.contains(bytes[index..<(index + length)]) {
        if index >= end { result += Array(description.utf8) }
        end = index + length
      }
      if index >= end { result.append(bytes[index]) }
      index += 1
    }
    return String(decoding: result, as: UTF8.self)
  }
}
