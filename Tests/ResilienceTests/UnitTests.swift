import Foundation
import TestDesk
import Testing

extension ResilienceTests {
  @Suite struct UnitTests {
    @Test func `The timer's units are valid, and exposed little`() throws {
      let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../packaging/systemd").standardized.path
      let session = try PrivateDesktop(.withoutBus)
      defer { session.tearDown() }
      let units = ["coder-cred-refresh.service", "coder-cred-refresh.timer"]
      for unit in units {
        let text = try String(contentsOfFile: "\(folder)/\(unit)", encoding: .utf8)
          .replacingOccurrences(of: "/usr/bin/coder-cred", with: "/bin/true")
        let path = "\(session.directory)/\(unit)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      }
      let paths = units.map { "\(session.directory)/\($0)" }
      let verified = try session.run("systemd-analyze", ["--user", "verify"] + paths)
      #expect(verified.status == 0, "\(verified.stderr)")
      #expect(verified.stderr.isEmpty, "\(verified.stderr)")
      let security = try session.run(
        "systemd-analyze", ["security", "--offline=true", "--no-pager", paths[0]])
      #expect(security.stdout.contains("OK"), "\(security.stdout.suffix(200))")
      tell(security.stdout.split(separator: "\n").last.map(String.init) ?? "")
    }
  }
}
