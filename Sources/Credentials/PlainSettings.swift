/// A person's settings, when they are written so plainly that they can be read in one way only.
///
/// The full program reads them with GLib's GKeyFile. Of its format this takes comments, groups, and
/// keys with printable ASCII values; escapes, translations, repeated keys and everything odd are
/// left to the full program.
public struct PlainSettings: Sendable {
  private var values: [String: String] = [:]

  /// Reads the bytes of a settings file; nil when they are not plain.
  public init?(_ bytes: [UInt8]) {
    var group: ArraySlice<UInt8>?
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard line.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }),
        line.last != 0x20
      else { return nil }
      if line.first == UInt8(ascii: "#") { continue }
      if line.first == UInt8(ascii: "["), line.last == UInt8(ascii: "]") {
        // Brackets within a group's name are percent-encoded: those of an IPv6 address.
        group = line.dropFirst().dropLast()
        guard let group, !group.isEmpty, !group.contains(where: { "[]%".utf8.contains($0) })
        else { return nil }
      } else {
        guard let group, take(line, in: group) else { return nil }
      }
    }
  }

  /// A setting for a deployment, or for all; nil when there is none.
  public func text(_ key: String, for deployment: Deployment?) -> String? {
    let own = deployment.flatMap { values["\($0.url)\n\(key)"] }
    return own ?? values["coder-cred\n\(key)"]
  }

  private mutating func take(_ line: ArraySlice<UInt8>, in group: ArraySlice<UInt8>) -> Bool {
    guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { return false }
    let blanks = line[..<equals].reversed().prefix { $0 == 0x20 }.count
    let key = line[..<equals].dropLast(blanks)
    guard !key.isEmpty,
      key.allSatisfy({ $0 == UInt8(ascii: "-") || (0x61...0x7A).contains($0) })
    else { return false }
    let name = String(decoding: group + [0x0A] + key, as: UTF8.self)
    let value = line[(equals + 1)...].drop { $0 == 0x20 }
    return values.updateValue(String(decoding: value, as: UTF8.self), forKey: name) == nil
  }
}
