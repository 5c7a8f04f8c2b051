import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Long work shows itself on a terminal, short work and work for programs does not.
@Suite(.blocking) struct `Progress` {
  @Test func `A download shows bytes, rate, share and time left`() throws {
    try Desk.withSession { desk in
      desk.deployment.inject(.drip(millisecondsPerByte: 15), at: .account)
      try desk.withTerminal(
        "/bin/sh", ["-c", "\"$0\" api users/me >\"$1\"", desk.program, "\(desk.directory)/out"]
      ) { terminal in
        let line = try terminal.expect(" left")
        #expect(line.contains("Receiving ") && line.contains(" B of ") && line.contains(" %), "))
        #expect(line.contains(" B/s, "))
        // Nothing stays.
        waitFor("the cleared line") { terminal.transcript.hasSuffix("\r\u{1B}[K\r") }
        #expect(terminal.end() == .status(0))
      }
      let body = try String(contentsOfFile: "\(desk.directory)/out", encoding: .utf8)
      #expect(body.contains("alice"))
    }
  }

  @Test func `An upload does, too`() throws {
    try Desk.withSession { desk in
      let script = "(printf x; sleep 1; printf y) | \"$0\" api debug/echo --input - >/dev/null"
      desk.deployment.inject(.hold, at: "POST /api/v2/debug/echo")
      try desk.withTerminal("/bin/sh", ["-c", script, desk.program]) { terminal in
        try terminal.expect("Sending 2 B of 2 B (100 %)")
        desk.deployment.releaseHeld()
        #expect(terminal.end() == .status(0))
      }
    }
  }

  @Test func `A body that is shown on the terminal is not drawn over`() throws {
    try Desk.withSession { desk in
      desk.deployment.inject(.drip(millisecondsPerByte: 5), at: .account)
      let text = try desk.shown(["api", "users/me"])
      #expect(!text.contains("Receiving") && text.contains("\"username\":\"alice\""))
    }
  }

  @Test(arguments: [
    ["refresh"], ["refresh", "--all"], ["token", "--min-ttl", "31536000"],
  ])
  func `A refresh that takes its time says so`(arguments: [String]) throws {
    try Desk.withSession { desk in
      try desk.age()
      desk.deployment.inject(.hold, at: .refresh)
      let words = arguments + (arguments.contains("token") ? [desk.url] : [])
      try desk.withTerminal(
        "/bin/sh", ["-c", "exec \"$0\" \"$@\" >/dev/null", desk.program] + words
      ) { terminal in
        try terminal.expect("Refreshing the session with \(desk.url) …")
        desk.deployment.releaseHeld()
        #expect(terminal.end() == .status(0))
      }
    }
  }

  @Test func `An import and a check say whom they wait for`() throws {
    try Desk.with { desk in
      try desk.signInCoderCLI(token: desk.deployment.session(user: "alice"))
      desk.deployment.inject(.hold, at: .account)
      try desk.withTerminal(["import"]) { terminal in
        try terminal.expect("Asking \(desk.url)")
        desk.deployment.releaseHeld()
        try terminal.expect("[y/N] ")
        terminal.type("n")
        #expect(terminal.end() == .status(0))
      }
      desk.deployment.inject(.hold, at: .account)
      try desk.withTerminal(["status", "--check"]) { terminal in
        try terminal.expect("Asking \(desk.url)")
        desk.deployment.releaseHeld()
        #expect(terminal.end() == .status(0))
      }
    }
  }

  @Test func `A keyring that is slow is said to be read`() throws {
    try Desk.with(.fake([.hangs])) { desk in
      try desk.withTerminal(["list"]) { terminal in
        try terminal.expect("Reading the keyring")
        terminal.signal(SIGKILL)
      }
    }
  }

  @Test func `Short work, a pipe and a plain terminal show nothing`() throws {
    try Desk.withSession { desk in
      let file = ["-c", "exec \"$0\" api users/me >/dev/null", desk.program]
      let start = Date()
      let text = try desk.shown(file, by: "/bin/sh")
      // On a machine that is busy it may take longer.
      #expect(text.isEmpty || Date().timeIntervalSince(start) > 0.5)
      try desk.age()
      desk.deployment.inject(.delay(milliseconds: 1200), at: .refresh)
      let piped = try desk.run(["refresh"])
      #expect(piped.messages == ["Refreshed the session with \(desk.url) as alice."])
      try desk.forgetFailures()
      try desk.age()
      desk.deployment.inject(.delay(milliseconds: 1200), at: .refresh)
      #expect(try !desk.shown(["refresh"], environment: ["TERM": "dumb"]).contains("\u{1B}"))
    }
  }
}
