import CGLib
import Glibc
import Sessions

/// Who takes `coder-cred://` links on this desktop, by its own rules (MIME Applications Associations
/// Specification).
struct LinkHandler {
  /// What the desktop has registered.
  enum Registered: Equatable {
    /// A program that is there.
    case ours
    /// A program that is not there, or not any more.
    case missing(program: String)
    /// Nothing.
    case none
  }

  private static let desktopFile = "coder-cred.desktop"

  private let program: String
  private let applications: String
  private let associations: String

  /// - Returns: nil where there is no home, or where coder-cred is not installed as a whole.
  init?(_ environment: Environment) {
    guard let installation = Installation(),
      let data = environment.directory("XDG_DATA_HOME", below: ".local/share"),
      let config = environment.directory("XDG_CONFIG_HOME", below: ".config")
    else { return nil }
    program = installation.fastPath
    applications = "\(data)/applications"
    associations = "\(config)/mimeapps.list"
  }

  var registered: Registered {
    // The person's own files first: GIO passes over a program that is not there, and notices a change
    // later.
    if let program = ownProgram {
      if access(program, X_OK) != 0 { return .missing(program: program) }
      if isOwnDefault { return .ours }
    }
    guard let info = g_app_info_get_default_for_uri_scheme("coder-cred") else { return .none }
    defer { g_object_unref(UnsafeMutableRawPointer(info)) }
    guard let executable = g_app_info_get_executable(info).map({ String(cString: $0) }) else {
      return .none
    }
    return access(executable, X_OK) == 0 ? .ours : .missing(program: executable)
  }

  /// The program that the person's own desktop file starts.
  private var ownProgram: String? {
    guard let command = text("\(applications)/\(Self.desktopFile)", "Desktop Entry", "Exec") else {
      return nil
    }
    var words: UnsafeMutablePointer<UnsafeMutablePointer<gchar>?>?
    guard g_shell_parse_argv(command, nil, &words, nil) != 0, let words else { return nil }
    defer { g_strfreev(words) }
    return words[0].map { String(cString: $0) }
  }

  /// Whether the person has chosen that file for these links.
  private var isOwnDefault: Bool {
    let chosen = text(associations, "Default Applications", "x-scheme-handler/coder-cred")
    return chosen?.utf8.split(separator: UInt8(ascii: ";")).first.flatMap { String($0) }
      == Self.desktopFile
  }

  private func text(_ path: String, _ group: String, _ key: String) -> String? {
    let file = g_key_file_new()
    defer { g_key_file_unref(file) }
    guard g_key_file_load_from_file(file, path, cglib_key_file_flags_none(), nil) != 0,
      let value = g_key_file_get_string(file, group, key, nil)
    else { return nil }
    defer { g_free(value) }
    return String(cString: value)
  }

  /// Registers this program for the person, and leaves everything else in their files.
  ///
  /// - Throws: a failure when a file cannot be written.
  func register() throws(Failure) {
    RuntimeDirectory.makeDirectories(applications)
    try change("\(applications)/\(Self.desktopFile)") { file in
      let values = [
        "Type": "Application", "Name": "coder-cred", "NoDisplay": "true", "Terminal": "false",
        "Exec": "\(quoted(program)) callback %u", "MimeType": "x-scheme-handler/coder-cred;",
        "Comment": "Finishes signing in to a Coder deployment",
      ]
      for (key, value) in values.sorted(by: { $0.key < $1.key }) {
        g_key_file_set_string(file, "Desktop Entry", key, value)
      }
    }
    try change(associations) { file in
      g_key_file_set_string(
        file, "Default Applications", "x-scheme-handler/coder-cred", Self.desktopFile)
    }
  }

  /// Desktop Entry Specification, "The Exec key": an argument with blanks is quoted, and "%" doubled.
  private func quoted(_ path: String) -> String {
    var text = "\""
    for scalar in path.unicodeScalars {
      if "\"`$\\".unicodeScalars.contains(scalar) { text += "\\" }
      text.unicodeScalars.append(scalar)
      if scalar == "%" { text += "%" }
    }
    return text + "\""
  }

  private func change(_ path: String, _ change: (OpaquePointer?) -> Void) throws(Failure) {
    let file = g_key_file_new()
    defer { g_key_file_unref(file) }
    // One that cannot be read is the person's all the same: it is not replaced.
    if access(path, F_OK) == 0,
      g_key_file_load_from_file(file, path, cglib_key_file_flags_keep(), nil) == 0
    {
      throw Failure(.fixTheCall, "\(path) is not changed: it is no key file")
    }
    change(file)
    var error: UnsafeMutablePointer<GError>?
    defer { g_clear_error(&error) }
    guard g_key_file_save_to_file(file, path, &error) != 0 else {
      let reason = error.map { String(cString: cglib_error_message($0)) } ?? "it cannot be written"
      throw Failure(.fixTheCall, "\(path) is not changed: \(reason)")
    }
  }
}
