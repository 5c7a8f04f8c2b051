import Foundation
import TestDesk
import Testing

/// An authorization server that nobody here wrote, with a browser for its pages.
///
/// `packaging/setup` installs all of them below the user's cache; see `Servers`.
enum ForeignServer: String, CaseIterable, Sendable {
  /// On Authlib.
  case canaille
  /// On oauthlib; it revokes the whole family of a refresh token that is used twice.
  case djangoOAuthToolkit = "django-oauth-toolkit"
  /// In C; it lists no refresh tokens among its grants, registers by OpenID Connect, and revokes
  /// the last refresh token of a chain of which one is used twice.
  case glewlwyd

  /// Whether they were installed, or must have been.
  static var areExpected: Bool {
    FileManager.default.isExecutableFile(atPath: python)
      || ProcessInfo.processInfo.environment["CI"] != nil
  }

  /// Why they may be missing.
  static let reason = "packaging/setup installs them"

  private static let python = "\(cache)/authorization-servers/bin/python3"
  private static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Servers").path
  private static var cache: String {
    let environment = ProcessInfo.processInfo.environment
    return (environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "")/.cache") + "/coder-cred"
  }

  /// The scope that a sign-in needs to ask for.
  var scope: String {
    switch self {
    case .canaille: "openid profile"
    case .djangoOAuthToolkit: "read"
    case .glewlwyd: "g_profile"
    }
  }

  private var script: String { "\(Self.scripts)/\(rawValue)-server.py" }

  /// Starts the server for as long as the desk is there.
  ///
  /// - Returns: the deployment's URL, and the environment with the browser.
  func start(at desk: Desk) throws -> (url: String, browser: [String: String]) {
    let file = "\(desk.directory)/\(rawValue)"
    let serve =
      switch self {
      case .canaille, .djangoOAuthToolkit: [script, file]
      case .glewlwyd: [script, "serve", file, "\(Self.cache)/glewlwyd"]
      }
    // -B: no compiled scripts beside the sources.
    _ = try desk.desktop.start(Self.python, ["-B"] + serve, log: "\(file).log")
    waitFor("the server", timeoutSeconds: 180) { FileManager.default.fileExists(atPath: file) }
    let browse =
      switch self {
      case .canaille, .djangoOAuthToolkit: "'\(Self.scripts)/browse.py'"
      case .glewlwyd: "'\(script)' browse"
      }
    return (
      try String(contentsOfFile: file, encoding: .utf8),
      try desk.browserScript("browser-\(rawValue)", "exec '\(Self.python)' -B \(browse) \"$1\"")
    )
  }
}
