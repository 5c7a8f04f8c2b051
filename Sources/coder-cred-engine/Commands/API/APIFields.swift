import Basics
import Glibc
import Secrets

/// The fields of an `api` request, as a JSON object or as a query.
struct APIFields {
  /// The most that is read of a file for one field, in bytes.
  private static let fileLimit = 1 << 20

  private enum Value {
    case text(String)
    /// `true`, `false`, `null` or a whole number, as JSON writes it.
    case literal(String)
  }

  private var fields: [(key: String, value: Value)] = []

  var isEmpty: Bool { fields.isEmpty }

  /// Whether a word has the form `key=value`; a key that ends with `[]` names a list.
  static func isField(_ word: String) -> Bool {
    let key = word.prefix { $0 != "=" }
    return key.utf8.count < word.utf8.count && !key.isEmpty && key != "[]"
  }

  /// Takes fields of the form `key=value`.
  ///
  /// - Parameters:
  ///   - texts: those whose values are texts as they are.
  ///   - typed: those whose values may be something else.
  /// - Throws: a failure when a file cannot be read.
  init(texts: [String], typed: [String]) throws(Failure) {
    for word in texts { add(word, { .text($0) }) }
    for word in typed {
      let value = try Self.typed(Self.parts(word).value)
      add(word) { _ in value }
    }
  }

  private mutating func add(_ word: String, _ value: (String) -> Value) {
    let (key, text) = Self.parts(word)
    // Of two fields with one name the last one counts, unless it is a list.
    if !key.hasSuffix("[]") { fields.removeAll { $0.key == key } }
    fields.append((key, value(text)))
  }

  private static func parts(_ word: String) -> (key: String, value: String) {
    let key = word.prefix { $0 != "=" }
    return (String(key), String(word.dropFirst(key.count + 1)))
  }

  private static func typed(_ text: String) throws(Failure) -> Value {
    if ["true", "false", "null"].contains(text) { return .literal(text) }
    if let number = Int64(text), String(number) == text { return .literal(text) }
    guard text.hasPrefix("@") else { return .text(text) }
    let name = String(text.dropFirst())
    let file = name == "-" ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC)
    defer { if file > STDERR_FILENO { close(file) } }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    var count = 0
    repeat {
      count = file < 0 ? -1 : read(file, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw Failure(.fixTheCall, "\(name) cannot be read: \(String(cString: strerror(errno)))")
      }
      bytes += chunk[..<count]
    } while count != 0 && bytes.count <= fileLimit
    guard bytes.count <= fileLimit, let content = String(validating: bytes, as: UTF8.self) else {
      throw Failure(.fixTheCall, "\(name) is longer than 1 MiB, or not UTF-8: send it with --input")
    }
    return .text(content)
  }

  /// One JSON object.
  var json: String {
    var members: [(key: String, values: [String])] = []
    for (key, value) in fields {
      let text =
        switch value {
        case .text(let text): "\"\(ForeignText.jsonString(text))\""
        case .literal(let text): text
        }
      if let index = members.firstIndex(where: { $0.key == key }) {
        members[index].values.append(text)
      } else {
        members.append((key, [text]))
      }
    }
    let texts = members.map { key, values in
      let isList = key.hasSuffix("[]")
      let name = ForeignText.jsonString(isList ? String(key.dropLast(2)) : key)
      return "\"\(name)\":" + (isList ? "[\(values.joined(separator: ","))]" : values[0])
    }
    return "{\(texts.joined(separator: ","))}"
  }

  /// A path with the fields in its query.
  func added(to path: String) -> String {
    guard !isEmpty else { return path }
    let pairs = fields.map { key, value in
      let name = key.hasSuffix("[]") ? String(key.dropLast(2)) : key
      let text =
        switch value {
        case .text(let text), .literal(let text): text
        }
      return "\(PercentEncoding.encodeForm(name))=\(PercentEncoding.encodeForm(text))"
    }
    return path + (path.contains("?") ? "&" : "?") + pairs.joined(separator: "&")
  }
}
