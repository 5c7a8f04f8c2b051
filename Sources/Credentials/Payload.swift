import Basics
public import Secrets

/// What an item in the keyring holds: one line of flat, compact JSON without a backslash.
///
/// A keyring without a password is kept by gnome-keyring as a text file that loses line breaks and
/// misreads backslashes, and takes other applications' secrets with it. So texts hold no character
/// that JSON would have to escape: quotation mark, backslash, percent sign and control characters
/// are percent-encoded instead, and ``encoded()`` proves the result before anyone writes it.
public struct Payload: Equatable, Sendable {
  /// The largest payload in bytes.
  public static let maximumBytes = 64 << 10

  private enum Value: Equatable {
    case text(String)
    case number(Int64)
  }

  private var fields: [(key: String, value: Value)] = []

  /// Makes an empty payload.
  public init() {}

  /// The text of a field; nil when there is none. Setting nil leaves the field out.
  public subscript(text key: String) -> String? {
    get {
      guard case .text(let text)? = fields.first(where: { $0.key == key })?.value else {
        return nil
      }
      return text
    }
    set { set(key, newValue.map(Value.text)) }
  }

  /// The number of a field; nil when there is none. Setting nil leaves the field out.
  public subscript(number key: String) -> Int64? {
    get {
      guard case .number(let number)? = fields.first(where: { $0.key == key })?.value else {
        return nil
      }
      return number
    }
    set { set(key, newValue.map(Value.number)) }
  }

  /// The secret of a field; nil when there is none. Setting nil leaves the field out.
  public subscript(secret key: String) -> Secret? {
    get { self[text: key].map(Secret.init(_:)) }
    set { self[text: key] = newValue?.revealed }
  }

  /// Takes the text of a field out; nil, and nothing is taken, when there is none.
  public mutating func take(text key: String) -> String? {
    defer { if self[text: key] != nil { self[text: key] = nil } }
    return self[text: key]
  }

  /// Takes the number of a field out; nil, and nothing is taken, when there is none.
  public mutating func take(number key: String) -> Int64? {
    defer { if self[number: key] != nil { self[number: key] = nil } }
    return self[number: key]
  }

  /// Takes the secret of a field out; nil, and nothing is taken, when there is none.
  public mutating func take(secret key: String) -> Secret? {
    take(text: key).map(Secret.init(_:))
  }

  /// Adds what another payload holds beside the fields of this one.
  public mutating func add(_ other: Payload) {
    for field in other.fields where !fields.contains(where: { $0.key == field.key }) {
      fields.append(field)
    }
  }

  private mutating func set(_ key: String, _ value: Value?) {
    fields.removeAll { $0.key == key }
    if let value { fields.append((key, value)) }
  }

  /// The payload as it is stored, its fields in the order they were set.
  ///
  /// - Throws: ``MalformedInput/unwritable(reason:)`` when it would not survive every keyring.
  public func encoded() throws(MalformedInput) -> Secret {
    let members = fields.map { field in
      // The names of a later version's fields come from what was read.
      switch field.value {
      case .text(let text): "\(Self.quoted(field.key)):\(Self.quoted(text))"
      case .number(let number): "\(Self.quoted(field.key)):\(number)"
      }
    }
    let line = "{" + members.joined(separator: ",") + "}"
    guard line.utf8.count <= Self.maximumBytes else {
      throw .unwritable(reason: "it would be larger than 64 KiB")
    }
    guard line.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }) else {
      throw .unwritable(reason: "it would hold a character that keyrings corrupt")
    }
    return Secret(line)
  }

  private static func quoted(_ text: String) -> String {
    "\"\(PercentEncoding.encode(text.utf8) { !$0.needsCare })\""
  }

  /// Reads a stored payload.
  ///
  /// - Throws: ``MalformedInput/payload(reason:)`` for anything but one flat JSON object of texts
  ///   without escapes and whole numbers.
  public init(parsing line: Secret) throws(MalformedInput) {
    var reader = PayloadReader(Array(line.revealed.utf8))
    guard reader.bytes.count <= Self.maximumBytes else {
      throw .payload(reason: "it is larger than 64 KiB")
    }
    try reader.readObject { key, value throws(MalformedInput) in
      guard !fields.contains(where: { $0.key == key }) else {
        throw .payload(reason: "a field stands twice")
      }
      switch value {
      case .text(let text): fields.append((key, .text(text)))
      case .number(let number): fields.append((key, .number(number)))
      case .null: break
      }
    }
  }

  /// Takes and checks the two fields that every payload carries.
  ///
  /// - Parameters:
  ///   - newest: the newest format version understood.
  ///   - url: the deployment the payload must belong to.
  /// - Throws: ``MalformedInput``.
  public mutating func takeVersion(_ newest: Int64, url: String) throws(MalformedInput) {
    guard let version = take(number: "v"), version > 0 else {
      throw .payload(reason: "the format version is missing")
    }
    guard version <= newest else { throw .newerPayload(version: version) }
    guard take(text: "url") == url else {
      throw .payload(reason: "it belongs to another deployment")
    }
  }

  /// Two payloads are equal if they hold the same fields in the same order.
  public static func == (lhs: Payload, rhs: Payload) -> Bool {
    lhs.fields.elementsEqual(rhs.fields) { $0.key == $1.key && $0.value == $1.value }
  }
}

extension UInt8 {
  /// Whether a text may not hold this byte as it is.
  fileprivate var needsCare: Bool {
    self < 0x20 || self == 0x7F || self == UInt8(ascii: "\"") || self == UInt8(ascii: "\\")
      || self == UInt8(ascii: "%")
  }
}
