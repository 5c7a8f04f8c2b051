import CGLib
import Credentials

/// The person's configuration file, changed without disturbing what else is in it.
struct SettingsFile {
  let path: String

  /// Writes one setting: comments, other keys and their order stay; readers see the old file or the
  /// new one, never a part.
  ///
  /// A file that is a link, as into a repository of dot-files, stays one: what it leads to changes.
  ///
  /// - Parameters:
  ///   - key: the setting's name.
  ///   - value: what it is set to; with nil it is taken out.
  ///   - deployment: whose setting it is; with nil that of every deployment.
  /// - Throws: a failure when the file cannot be used or written; it is as it was then.
  func set(
    _ key: String, to value: String?, for deployment: Deployment? = nil
  ) throws(Failure) {
    let target = try ReplaceableFile(path: path, what: "the configuration \(path)")
    let file = g_key_file_new()
    defer { g_key_file_unref(file) }
    do throws(MalformedInput) {
      let bytes = try SettingsLocation.contents(of: path)
      if let bytes { try Settings.load(bytes, into: file, cglib_key_file_flags_keep()) }
    } catch {
      throw Failure(.fixTheCall, "the configuration \(path) is unusable: \(error.reason)")
    }
    let group = deployment.map(Settings.group(of:)) ?? Settings.commonGroup
    if let value {
      g_key_file_set_string(file, group, key, value)
    } else if g_key_file_remove_key(file, group, key, nil) == 0 {
      return
    }
    var length: gsize = 0
    guard let data = g_key_file_to_data(file, &length, nil) else {
      throw Failure(.reportIt, "the configuration cannot be written as a key file")
    }
    defer { g_free(data) }
    let bytes = Array(UnsafeRawBufferPointer(start: data, count: Int(length)))
    guard value == nil else { return try target.replace(with: bytes) }
    let rest = Self.withoutEmptyGroup(group, bytes)
    if rest.allSatisfy({ $0 == UInt8(ascii: "\n") }), !target.isLink { return try target.remove() }
    try target.replace(with: rest)
  }

  /// The lines without the heading of a group that nothing follows, not even a comment.
  private static func withoutEmptyGroup(_ group: String, _ bytes: [UInt8]) -> [UInt8] {
    let newline = UInt8(ascii: "\n")
    var lines = bytes.split(separator: newline, omittingEmptySubsequences: false)
    guard let heading = lines.firstIndex(where: { $0.elementsEqual("[\(group)]".utf8) }) else {
      return bytes
    }
    let end =
      lines[(heading + 1)...].firstIndex { $0.first == UInt8(ascii: "[") } ?? lines.endIndex
    guard lines[(heading + 1)..<end].allSatisfy(\.isEmpty) else { return bytes }
    let isLast = end == lines.endIndex
    lines.removeSubrange(heading..<end)
    // Blank lines that stood before the last group go with it.
    while isLast, lines.last?.isEmpty ?? false { lines.removeLast() }
    let rest = Array(lines.joined(separator: [newline]))
    return rest.isEmpty || rest.last == newline ? rest : rest + [newline]
  }
}
