/// A value that must never be shown: a token, a password, a client secret.
///
/// Printing, dumping or mirroring a `Secret`, or interpolating it into a `String`, shows
/// `<redacted>`. Secrets may be composed into new ones (`let line: Secret = "password=\(secret)"`)
/// and examined without leaving the type. The bytes leave it only through ``revealed``, which
/// appears in few places: requests on their way to the deployment, the answer on standard output,
/// and the stored payload.
public struct Secret: Sendable, Hashable {
  /// The secret itself. Every use is a place where it leaves our hands.
  public var revealed: String { value }

  let value: String

  /// Takes a secret into custody.
  public init(_ value: String) {
    self.value = value
  }

  /// Compares without leaving a trace of where two secrets of one length differ.
  public static func == (lhs: Secret, rhs: Secret) -> Bool {
    let left = lhs.value.utf8
    let right = rhs.value.utf8
    guard left.count == right.count else { return false }
    return zip(left, right).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
  }

  /// A secret made from this one.
  public func map(_ transform: (String) -> String) -> Secret {
    Secret(transform(value))
  }

  /// Whether every byte of the secret's UTF-8 form satisfies the predicate.
  public func allSatisfy(_ predicate: (UInt8) -> Bool) -> Bool {
    value.utf8.allSatisfy(predicate)
  }

  /// Whether there is nothing in it.
  public var isEmpty: Bool { value.isEmpty }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Always `<redacted>`.
  public var description: String { "<redacted>" }
  /// Always `<redacted>`.
  public var debugDescription: String { "<redacted>" }
  /// Shows no children.
  public var customMirror: Mirror { Mirror(self, children: []) }
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
    public init(literalCapacity: Int, interpolationCount: Int) {}

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
