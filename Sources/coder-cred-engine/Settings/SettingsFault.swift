import CGLib
import Credentials

/// What is wrong with a settings file that cannot be read, and in which line.
///
/// GKeyFile quotes the line itself, where somebody may have put what nobody should read, and does not
/// number it.
enum SettingsFault {
  /// Why GKeyFile does not take the bytes.
  static func reason(in bytes: [UInt8]) -> String {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    // It reads line by line and stops at the first bad one: as many as can be read come before that.
    var (good, bad) = (0, lines.count)
    while bad - good > 1 {
      let middle = (good + bad) / 2
      if isReadable(lines[..<middle]) { good = middle } else { bad = middle }
    }
    guard !lines.isEmpty, !isReadable(lines[..<bad]) else { return "it is no key file" }
    return "line \(bad): \(objection(to: lines[good], after: lines[..<good]))"
  }

  /// Why a value cannot be read although its line can.
  static func reason(forValueOf key: String, in group: String, _ bytes: [UInt8]) -> String {
    let heading = Array("[\(group)]".utf8)[...]
    var isInGroup = false
    var found: Int?
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      if line.first == UInt8(ascii: "[") { isInGroup = line.starts(with: heading) }
      if isInGroup, line.starts(with: key.utf8) { found = index + 1 }
    }
    let place = found.map { "line \($0): " } ?? ""
    return "\(place)the value of \(key) is not UTF-8, or has a backslash that means nothing"
  }

  private static func objection(
    to line: ArraySlice<UInt8>, after former: ArraySlice<ArraySlice<UInt8>>
  ) -> String {
    guard !line.contains(0) else { return "it holds a NUL" }
    let text = line.drop { $0 == 0x20 || $0 == 0x09 }
    if text.first == UInt8(ascii: "[") {
      return "a group is a name in brackets, such as [\(Settings.commonGroup)]"
    }
    guard text.contains(UInt8(ascii: "=")) else {
      return "it is neither [group] nor key=value nor a comment with #"
    }
    let hasGroup = former.contains {
      $0.drop { $0 == 0x20 || $0 == 0x09 }.first == UInt8(ascii: "[")
    }
    return hasGroup
      ? "the key before = is malformed"
      : "a key stands before the first group; [\(Settings.commonGroup)] is missing above it"
  }

  private static func isReadable(_ lines: ArraySlice<ArraySlice<UInt8>>) -> Bool {
    let file = g_key_file_new()
    defer { g_key_file_unref(file) }
    return Settings.isLoaded(
      Array(lines.joined(separator: [UInt8(ascii: "\n")])), into: file,
      cglib_key_file_flags_none())
  }
}
