import Foundation
import TestDesk
import Testing

/// What the full program loads when it is needed, and tells packagers of.
@Suite struct `Libraries that are loaded late` {
  /// The sections of the full program that tell what it loads.
  private func readelf(_ option: String, _ section: String...) throws -> String {
    // Not its status: notes of the Swift toolchain make it complain.
    let result = try ChildProcess.run(
      "readelf", ["--wide", option] + section + [Products.executable("coder-cred-engine")])
    try #require(!result.timedOut)
    return result.stdout
  }

  // A build for tests is linked with libsecret nevertheless: SwiftPM takes all that pkg-config says.
  @Test(arguments: ["libcurl", "libqrencode"])
  func `are not linked`(name: String) throws {
    #expect(try !readelf("--dynamic").contains(name))
  }

  @Test(arguments: [
    ("libcurl.so.4", "required"), ("libsecret-1.so.0", "required"),
    ("libqrencode.so.4", "suggested"),
  ])
  func `are in the notes that packagers read`(soname: String, priority: String) throws {
    // The UAPI Group's note type for dlopen metadata; older readelf does not know its name.
    let isKnown = try readelf("--notes").components(separatedBy: "\n").contains { line in
      line.contains("FDO") && (line.contains("0x407c0c0a") || line.contains("DLOPEN"))
    }
    #expect(isKnown)
    let text = try readelf("--string-dump", ".note.dlopen")
    let entries = try text.components(separatedBy: "\n").compactMap { line in
      try line.firstRange(of: "[{").map {
        try JSONSerialization.jsonObject(with: Data(line[$0.lowerBound...].utf8))
      }
    }.compactMap { $0 as? [[String: Any]] }.joined()
    let ours = entries.filter { $0["soname"] as? [String] == [soname] }
    #expect(ours.map { $0["priority"] as? String } == [priority])
  }
}
