import Foundation
import TestDesk
import Testing

/// Text of others, where it is shown or becomes part of a format.
@Suite(.blocking) struct `Text of others` {
  @Test(arguments: [
    "Bearer%0D%0AX-Evil: 1", "Bearer%0AX-Evil: 1", "Bearer X", "Bearer%00", "Bearer%0D", "",
    "Bearer\u{85}X",
  ])
  func `in a stored token type makes no second header line`(type: String) throws {
    try Desk.withSession { desk in
      let session = try #require(try desk.sessions().first)
      try desk.desktop.change(session, "token_type", to: type)
      for program in [[:], ["CODER_CRED_ENGINE": "1"]] {
        for format in ["coder", "lines", "json", "cookie"] {
          let result = try desk.run(
            ["header", desk.url, "--format", format], environment: program)
          #expect(!result.stdout.contains("Evil"))
          #expect(result.lines.count <= 1)
          #expect(result.status == 65 && result.output.isEmpty, "\(result.stderr)")
        }
      }
    }
  }

  private static let names = [
    "al\u{202E}ecila", "al\u{85}ice", "al\u{9B}31mice", "al\u{3164}ice", "al\u{200B}ice",
    "al\u{2028}ice",
  ]

  @Test(arguments: names)
  func `in a user name is escaped in JSON, and cleaned in labels and tables`(name: String) throws {
    try Desk.with { desk in
      let stored = desk.request("username=\(name)", "password=\(desk.plant())")
      expectSilence(try desk.run(["store"], input: stored))
      let odd = try #require(name.unicodeScalars.first { !$0.isASCII })
      for arguments in [["list", "--json"], ["status", "--json"]] {
        let result = try desk.run(arguments)
        #expect(result.status == 0, "\(result.stderr)")
        // Nothing is lost, and nothing shows raw.
        #expect(try result.rows().first?["account"] as? String == name)
        #expect(!result.stdout.unicodeScalars.contains(odd))
        #expect(result.output.allSatisfy { $0 < 0x80 })
      }
      let list = try desk.run(["list"])
      #expect(!list.stdout.unicodeScalars.contains(odd) && list.stdout.contains("\u{FFFD}"))
      let label = try desk.desktop.item().label
      #expect(!label.unicodeScalars.contains(odd) && label.hasPrefix("al"))
      // What a tool is given is the name as it is.
      #expect(try desk.run(["get"], input: desk.request())["username"] == name)
    }
  }

  private static let bodies: [[UInt8]] = [
    Array("\u{1B}]0;title\u{7}\u{1B}[31mred\u{1B}[0m\n".utf8), [0x41, 0x9B, 0x33, 0x31, 0x6D],
    Array("A\u{9B}31m\u{202E}txt\n".utf8), Array("visible\rhidden\r\n".utf8), [0x41, 0xC2],
    Array("A\u{8}\u{8}B\u{0}\n".utf8),
  ]

  @Test(arguments: bodies)
  func `in the body of api does not steer a terminal, and is as it is for a program`(
    body: [UInt8]
  ) throws {
    try Desk.withSession { desk in
      let file = "\(desk.directory)/body"
      try Data(body).write(to: URL(fileURLWithPath: file))
      let words = ["api", "/api/v2/debug/echo", "--input", file]
      #expect(try desk.run(words).output == body)
      // A terminal without a spinner, which comes and goes where a response takes its time.
      try desk.withTerminal(words, environment: ["TERM": "dumb"]) { terminal in
        #expect(terminal.end() == .status(0))
        try terminal.expect("\u{FFFD}")
        let shown = terminal.transcript.replacingOccurrences(of: "\r\n", with: "\n")
        #expect(
          !shown.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0.value == 0x9B })
        #expect(!shown.contains("\u{202E}"))
      }
    }
  }

  @Test func `in the body of api that a terminal may show is shown as it is`() throws {
    try Desk.withSession { desk in
      let file = "\(desk.directory)/body"
      // Longer than one piece of a response, with characters across the pieces' ends.
      let text = String(repeating: "\tä€😀 line\n", count: 9_000)
      try desk.write(text, to: file)
      let words = ["api", "/api/v2/debug/echo", "--input", file]
      // Without a progress line, which a slow machine would show.
      try desk.withTerminal(words, environment: ["TERM": "dumb"]) { terminal in
        #expect(terminal.end() == .status(0))
        let expected = text.replacingOccurrences(of: "\n", with: "\r\n")
        waitFor("the whole body") { terminal.transcript.utf8.count >= expected.utf8.count }
        #expect(terminal.transcript == expected)
      }
    }
  }
}
