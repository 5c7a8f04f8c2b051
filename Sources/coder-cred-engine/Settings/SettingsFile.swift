import CGLib
import Credentials

/// The person's configuration file, changed without disturbing what else is in it.
struct SettingsFile {
  let path: String

  /// Writes one common setting: comments, other keys and their order stay; readers see the old file
  /// or the new one, never a part.
  ///
  /// A file that is a link, as into a repository of dot-files, stays one: what it leads to changes.
  func set(_ key: String, to value: String) throws(Failure) {
    let target = try ReplaceableFile(path: path, what: "the configuration \(path)")
    let file = g_key_file_new()
    defer { g_key_file_unref(file) }
    do throws(MalformedInput) {
      let bytes = try SettingsLocation.contents(of: path)
      if let bytes { try Settings.load(bytes, into: file, cglib_key_file_flags_keep()) }
    } catch {
      throw Failure(.fixTheCall, "the configuration \(path) is unusable: \(error.reason)")
    }
    g_key_file_set_string(file, Settings.commonGroup, key, value)
    var length: gsize = 0
    guard let data = g_key_file_to_data(file, &length, nil) else {
      throw Failure(.reportIt, "the configuration cannot be written as a key file")
    }
    defer { g_free(data) }
    try target.replace(with: UnsafeRawBufferPointer(start: data, count: Int(length)))
  }
}
