import Foundation
import TestDesk
import Testing

/// coder-cred-protocol(7) is what the programs do.
@Suite(.blocking) struct `The manual of protocols` {
  private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../man/coder-cred-protocol.7")
  private static let token = "kT5cQ2mXe1-Zb0Yd8sVn4Lw7Rj3Hf9Gp6"

  /// The lines between `.Bd` and `.Ed`, as they are shown.
  private func displays() throws -> [[String]] {
    var displays: [[String]] = []
    var isDisplay = false
    for line in try String(contentsOf: Self.page, encoding: .utf8).components(separatedBy: "\n") {
      if line.hasPrefix(".Bd") {
        isDisplay = true
        displays.append([])
      } else if line == ".Ed" {
        isDisplay = false
      } else if isDisplay {
        displays[displays.count - 1].append(line.replacingOccurrences(of: "\\e", with: "\\"))
      }
    }
    return displays
  }

  @Test func `shows transcripts that are true, to the letter`() throws {
    try Desk.with { desk in
      let environment = try desk.path(desk.installNames())
      // As a sign-in with a token leaves it, but for a time to come that can be printed.
      let payload = """
        {"v":1,"url":"https://dev.example.com","account":"alice","method":"token",\
        "token_type":"Bearer","access_token":"\(Self.token)","expires_at":1900000000}
        """
      try desk.desktop.storeAsOtherApplication(
        payload, label: "alice @ dev.example.com (Coder)",
        [
          "application": "coder-cred", "kind": "session", "account": "alice",
          "deployment": "https://dev.example.com",
        ])
      var count = 0
      for display in try displays() where display.first?.hasPrefix("$ ") == true {
        let starts = display.indices.filter { display[$0].hasPrefix("$ ") } + [display.count]
        for (start, end) in zip(starts, starts.dropFirst()) {
          let command = String(display[start].dropFirst(2))
          let shown = display[(start + 1)..<end].map { $0 + "\n" }.joined()
          let result = try desk.run("bash", ["-c", "\(command) 2>&1"], environment: environment)
          #expect(result.stdout == shown, "\(command)")
          count += 1
        }
      }
      #expect(count > 25)
    }
  }

  @Test func `shows what configure writes`() throws {
    try Desk.with(.withoutBus) { desk in
      var environment = try desk.path(desk.installNames())
      environment["CODER_URL"] = "https://dev.example.com"
      let shown = Set(try displays().joined())
      for tool in ["git", "vscode", "claude", "codex", "cargo", "go", "terraform", "docker"] {
        let printed = try desk.run(["configure", tool, "--print"], environment: environment)
        #expect(printed.status == 0)
        for line in printed.lines where line.hasPrefix("  ") && !line.contains("a link to") {
          let text = String(line.dropFirst(2))
          #expect(shown.contains(text) || text == "model_provider = \"coder\"", "\(tool): \(text)")
        }
      }
    }
  }
}
