import Foundation
import TestDesk
import Testing

/// Our programs under the names by which tools find them.
extension Desk {
  /// Every name of ours.
  static let names = [
    "coder-cred", "git-credential-coder-cred", "docker-credential-coder-cred",
    "bazel-credential-coder-cred", "terraform-credentials-coder-cred",
    "cargo-credential-coder-cred",
  ]

  /// Makes a directory with links of all our names, as an installation does, and returns its path.
  func installNames() throws -> String {
    let directory = "\(self.directory)/bin"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for name in Self.names {
      try FileManager.default.createSymbolicLink(
        atPath: "\(directory)/\(name)", withDestinationPath: program)
    }
    return directory
  }

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

extension CommandResult {
  /// Standard output as a JSON object.
  func object(sourceLocation: SourceLocation = #_sourceLocation) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: Data(output)) as? [String: Any],
      sourceLocation: sourceLocation)
  }
}
