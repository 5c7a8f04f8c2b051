import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `The systemd units` {
  @Test func `The timer and its service are valid, and the service is exposed little`() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../packaging/systemd").standardized.path
    let desktop = try PrivateDesktop(.withoutBus)
    defer { desktop.tearDown() }
    let units = ["coder-cred-refresh.service", "coder-cred-refresh.timer"]
    for unit in units {
      let text = try String(contentsOfFile: "\(folder)/\(unit)", encoding: .utf8)
        .replacingOccurrences(of: "/usr/bin/coder-cred", with: "/bin/true")
      let path = "\(desktop.directory)/\(unit)"
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
    let paths = units.map { "\(desktop.directory)/\($0)" }
    let verified = try desktop.run("systemd-analyze", ["--user", "verify"] + paths)
    #expect(verified.status == 0, "\(verified.stderr)")
    #expect(verified.stderr.isEmpty, "\(verified.stderr)")
    let security = try desktop.run(
      "systemd-analyze", ["security", "--offline=true", "--no-pager", paths[0]])
    #expect(security.stdout.contains("OK"), "\(security.stdout.suffix(200))")
  }
}
