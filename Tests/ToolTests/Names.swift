import Foundation
import TestDesk
import Testing

/// Programs where tools find them, and tokens where tools want them.
extension Desk {
  /// `PATH` with the directory of ``installNames()`` first.
  func path(_ directory: String) -> [String: String] {
    ["PATH": "\(directory):/usr/local/bin:/usr/bin:/bin"]
  }

  /// Stores a token that was made elsewhere, for a server whose name may be anything.
  func storeToken(
    _ token: String, at url: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let stored = try run(
      ["store"],
      input: "capability[]=authtype\nurl=\(url)\nauthtype=Bearer\ncredential=\(token)\n"
        + "username=alice\n\n")
    expectSilence(stored, url, sourceLocation: sourceLocation)
  }
}

/// A program that tools' users have, where this machine has it.
enum Client {
  /// Where it is: on the path, among a Rust toolchain, or where `packaging/setup` puts large ones.
  static func path(_ name: String) -> String? {
    let variables = ProcessInfo.processInfo.environment
    let cache = variables["XDG_CACHE_HOME"] ?? "\(NSHomeDirectory())/.cache"
    let places = [
      "/usr/local/bin", "/usr/bin", "/bin", "\(NSHomeDirectory())/.cargo/bin",
      "\(cache)/coder-cred/clients/bin",
    ]
    return places.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  /// Whether the machine has it.
  static func exists(_ name: String) -> Bool { path(name) != nil }

  /// Whether there is a cargo that knows credential providers and sparse registries with
  /// authentication: 1.74.
  static var hasCargoProviders: Bool {
    guard let cargo = path("cargo"),
      let version = try? ChildProcess.run(
        cargo, ["--version"],
        environment: ["HOME": NSHomeDirectory(), "PATH": "/usr/bin:/bin"]),
      let minor = version.stdout.firstMatch(of: /cargo 1\.(\d+)/)?.1
    else { return false }
    return Int(minor) ?? 0 >= 74
  }

  /// Whether large clients were asked for: `CODER_CRED_CLIENTS=1 packaging/test`.
  static var largeOnes: Bool { ProcessInfo.processInfo.environment["CODER_CRED_CLIENTS"] == "1" }
}
