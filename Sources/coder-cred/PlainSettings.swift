import Credentials
import Glibc

/// A person's settings, when they are written so plainly that they can be read in one way only.
///
/// The engine reads them with GLib's GKeyFile. Of its format this takes comments, groups, and keys
/// with printable values; escapes, translations and everything odd are left to the engine.
struct PlainSettings {
  private var values: [String: String] = [:]

  init() throws(NeedsEngine) {
    guard let path = Self.path else { return }
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
      if errno == ENOENT { return }
      throw NeedsEngine()
    }
    defer { close(file) }
    var status = stat()
    var bytes = [UInt8](repeating: 0, count: 16 << 10)
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      case let count = read(file, &bytes, bytes.count), (0..<bytes.count).contains(count)
    else { throw NeedsEngine() }
    var group: ArraySlice<UInt8>?
    for line in bytes[..<count].split(separator: UInt8(ascii: "\n")) {
      guard line.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }),
        line.last != 0x20
      else { throw NeedsEngine() }
      if line.first == UInt8(ascii: "#") { continue }
      if line.first == UInt8(ascii: "["), line.last == UInt8(ascii: "]") {
        // Brackets within a group's name are percent-encoded: those of an IPv6 address.
        group = line.dropFirst().dropLast()
        guard let group, !group.isEmpty, !group.contains(where: { "[]%".utf8.contains($0) })
        else { throw NeedsEngine() }
      } else {
        try take(line, in: group)
      }
    }
  }

  /// `default-deployment`, or nil.
  var defaultDeployment: String? { values["coder-cred\ndefault-deployment"] }

  /// `refresh-margin` for a deployment, in seconds, or nil.
  func margin(for deployment: Deployment) throws(NeedsEngine) -> Int64? {
    let own = values["\(deployment.url)\nrefresh-margin"]
    return try (own ?? values["coder-cred\nrefresh-margin"]).map(seconds)
  }

  private mutating func take(
    _ line: ArraySlice<UInt8>, in group: ArraySlice<UInt8>?
  ) throws(NeedsEngine) {
    guard let group, let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
      throw NeedsEngine()
    }
    let blanks = line[..<equals].reversed().prefix { $0 == 0x20 }.count
    let key = line[..<equals].dropLast(blanks)
    guard !key.isEmpty,
      key.allSatisfy({ $0 == UInt8(ascii: "-") || (0x61...0x7A).contains($0) })
    else { throw NeedsEngine() }
    let name = String(decoding: group + [0x0A] + key, as: UTF8.self)
    let value = line[(equals + 1)...].drop { $0 == 0x20 }
    guard values.updateValue(String(decoding: value, as: UTF8.self), forKey: name) == nil else {
      throw NeedsEngine()
    }
  }

  private static var path: String? {
    if let path = variable("CODER_CRED_CONFIG") { return path }
    if let home = directory("XDG_CONFIG_HOME") { return "\(home)/coder-cred/config" }
    return directory("HOME").map { "\($0)/.config/coder-cred/config" }
  }

  private static func directory(_ name: String) -> String? {
    variable(name).flatMap { $0.utf8.first == UInt8(ascii: "/") ? $0 : nil }
  }
}
