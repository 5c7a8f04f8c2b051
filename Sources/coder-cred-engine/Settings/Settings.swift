import CGLib
import Credentials
import HTTP
import OAuth

/// What a person has set in `$XDG_CONFIG_HOME/coder-cred/config`, a key file as desktop programs
/// keep it.
///
/// The group `[coder-cred]` holds defaults; a group named after a deployment's URL, its brackets
/// percent-encoded, overrides them for that deployment. Nothing in it is secret.
struct Settings {
  /// The group of settings for every deployment.
  static let commonGroup = "coder-cred"

  /// One line that says something.
  struct Entry: Equatable {
    let group: String
    let key: String
    let value: String
  }

  /// What the file says, in its order.
  private(set) var entries: [Entry] = []
  private var groups: [String: [String: String]] = [:]

  /// No settings at all.
  init() {}

  /// Reads the file named by `CODER_CRED_CONFIG`, or the usual one; a missing file is an empty one.
  init(_ environment: Environment) throws(Failure) {
    let path = Self.path(environment)
    do throws(MalformedInput) {
      try self.init(
        path.flatMap { path throws(MalformedInput) in
          try SettingsLocation.contents(of: path)
        } ?? [])
    } catch {
      throw Failure(.fixTheCall, "the configuration \(path ?? "") is unusable: \(error.reason)")
    }
  }

  /// Reads the bytes of a settings file.
  init(_ bytes: [UInt8]) throws(MalformedInput) {
    let file = g_key_file_new()
    defer { g_key_file_unref(file) }
    try Self.load(bytes, into: file, cglib_key_file_flags_none())
    for group in Self.strings(g_key_file_get_groups(file, nil)) {
      for key in Self.strings(g_key_file_get_keys(file, group, nil, nil)) {
        var error: UnsafeMutablePointer<GError>?
        let value = g_key_file_get_string(file, group, key, &error)
        defer {
          g_free(value)
          g_clear_error(&error)
        }
        // With an escape that means nothing there is a value all the same, and an error.
        guard let value, error == nil else {
          throw .settings(reason: SettingsFault.reason(forValueOf: key, in: group, bytes))
        }
        let entry = Entry(group: group, key: key, value: String(cString: value))
        entries.append(entry)
        groups[group, default: [:]][key] = entry.value
      }
    }
  }

  /// Reads the bytes of a settings file into a key file.
  static func load(
    _ bytes: [UInt8], into file: OpaquePointer?, _ flags: GKeyFileFlags
  ) throws(MalformedInput) {
    guard isLoaded(bytes, into: file, flags) else {
      throw .settings(reason: SettingsFault.reason(in: bytes))
    }
  }

  /// Whether GKeyFile takes the bytes of a settings file.
  static func isLoaded(
    _ bytes: [UInt8], into file: OpaquePointer?, _ flags: GKeyFileFlags
  ) -> Bool {
    // GKeyFile ends a value at a NUL, and goes on.
    guard !bytes.contains(0) else { return false }
    return bytes.withUnsafeBytes { bytes in
      bytes.withMemoryRebound(to: gchar.self) {
        g_key_file_load_from_data(file, $0.baseAddress, gsize($0.count), flags, nil) != 0
      }
    }
  }

  /// Where the file is, or would be; nil when there is no home.
  static func path(_ environment: Environment) -> String? {
    SettingsLocation.path { environment[$0] }
  }

  /// A setting for a deployment, or for all; nil when there is none.
  func text(_ key: String, for deployment: Deployment?) -> String? {
    let own = deployment.flatMap { groups[Self.group(of: $0)]?[key] }
    return own ?? groups[Self.commonGroup]?[key]
  }

  /// The words of a setting.
  func words(_ key: String, for deployment: Deployment?) -> [String] {
    (text(key, for: deployment) ?? "").utf8.split(separator: UInt8(ascii: " "))
      .compactMap(String.init)
  }

  /// The deployment whose `application-hosts` a URL lies on; nil when nobody allowed it for exactly
  /// one.
  func deployment(ofApplicationAt url: Deployment) -> Deployment? {
    let owners = groups.filter { _, settings in settings["application-hosts"] != nil }.keys
      .compactMap { try? Deployment(url: Self.unescaped($0)) }
      .filter { owner in
        words("application-hosts", for: owner)
          .contains { ApplicationHosts($0, of: owner)?.contain(url) ?? false }
      }
    return owners.count == 1 ? owners[0] : nil
  }

  /// A whole number within bounds.
  func number(
    _ key: String, for deployment: Deployment?, in bounds: ClosedRange<Int64>
  ) throws(Failure) -> Int64? {
    guard let text = text(key, for: deployment) else { return nil }
    guard let number = Int64(text), bounds.contains(number) else {
      throw Failure(
        .fixTheCall,
        "the configuration's \(key) is not a number from \(bounds.lowerBound) to "
          + "\(bounds.upperBound)")
    }
    return number
  }

  /// A yes or no; `true` alone is yes.
  func flag(_ key: String, for deployment: Deployment?) -> Bool {
    text(key, for: deployment) == "true"
  }

  /// How long before its end an access token is refreshed, in seconds: `refresh-margin`.
  func refreshMargin(for deployment: Deployment) throws(Failure) -> Int64 {
    try number("refresh-margin", for: deployment, in: StoredSession.margins)
      ?? StoredSession.usualMargin
  }

  /// Where the secrets of a deployment may go.
  func endpointPolicy(of deployment: Deployment) throws(OAuthError) -> EndpointPolicy {
    try EndpointPolicy(
      deployment: deployment.url,
      allowedOrigins: Set(words("allowed-origins", for: deployment)))
  }

  /// How a deployment's server is reached.
  func transport(for deployment: Deployment, _ environment: Environment) -> TransportSettings {
    var transport = TransportSettings(userAgent: "coder-cred/\(Version.number)")
    transport.environment = environment.variables
    transport.caFile = text("ca-file", for: deployment)
    transport.clientCertificateFile = text("client-certificate", for: deployment)
    transport.clientKeyFile = text("client-key", for: deployment)
    transport.allowsPlainHTTP = flag("allow-http", for: deployment)
    return transport
  }

  /// The group of the settings for one deployment.
  static func group(of deployment: Deployment) -> String {
    deployment.url.utf8.reduce(into: "") { name, byte in
      switch byte {
      case UInt8(ascii: "["): name += "%5B"
      case UInt8(ascii: "]"): name += "%5D"
      default: name.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
  }

  private static func unescaped(_ group: String) -> String {
    let brackets = ["%5B": "[", "%5D": "]"]
    return brackets.reduce(group) { $0.replacing($1.key, with: $1.value) }
  }

  private static func strings(
    _ list: UnsafeMutablePointer<UnsafeMutablePointer<gchar>?>?
  ) -> [String] {
    defer { g_strfreev(list) }
    var strings: [String] = []
    var entry = list
    while let pointer = entry?.pointee {
      strings.append(String(cString: pointer))
      entry = entry.map { $0 + 1 }
    }
    return strings
  }
}
