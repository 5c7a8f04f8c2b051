import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What a sign-in looks like on a terminal.
@Suite(.blocking) struct `The screen` {
  /// A terminal that makes links, and one that may not.
  @Test(arguments: [
    ["TERM": "xterm-kitty"], ["TERM": "foot"], ["VTE_VERSION": "7200"],
    ["TERM_PROGRAM": "vscode"], ["KONSOLE_VERSION": "230804"],
  ])
  func `makes the address a link where the terminal can`(terminalKind: [String: String]) throws {
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url, "--method", "oauth"], environment: terminalKind) {
        terminal in
        try terminal.expect("\u{1B}]8;;")
        let link = try terminal.expect("\u{1B}\\")
        #expect(link.hasPrefix("\(desk.url)/oauth2/authorize?"))
        #expect(try terminal.expect("\u{1B}]8;;\u{1B}\\\r\n") == link)
        #expect(try desk.deployment.browse(authorizationURL: link).callbackStatus == 200)
        #expect(terminal.end() == .status(0))
      }
    }
  }

  @Test(arguments: [
    ["TERM": "dumb"], ["TERM": "linux"], ["TERM": "screen", "VTE_VERSION": "7200"],
    ["VTE_VERSION": "4800"], [:],
  ])
  func `shows the bare address where it may not`(terminalKind: [String: String]) throws {
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url, "--method", "oauth"], environment: terminalKind) {
        terminal in
        let address = try desk.address(on: terminal)
        #expect(try desk.deployment.browse(authorizationURL: address).callbackStatus == 200)
        #expect(terminal.end() == .status(0))
        #expect(!terminal.transcript.contains("\u{1B}]8"))
      }
      // Nor is anything but the address in a file.
      let waiting = try WaitingLogin(desk, environment: ["TERM": "foot"])
      _ = try waiting.address()
      #expect(!waiting.output.contains("\u{1B}"))
      waiting.process.terminate()
    }
  }

  @Test(arguments: [
    ["SSH_CONNECTION": "198.51.100.7 50022 203.0.113.5 22", "USER": "alice"], ["DISPLAY": ":9"],
  ])
  func `of a whole sign-in fits into 80 columns and 24 rows`(place: [String: String]) throws {
    try Desk.with { desk in
      let browser = try desk.browserScript("idle", "exec true")
      let environment = place.merging(place["DISPLAY"] == nil ? [:] : browser) { $1 }
      try desk.withTerminal(["login", desk.url], environment: environment) { terminal in
        try terminal.expect("[T]oken? ")
        terminal.type("")
        let address = try desk.address(on: terminal)
        try terminal.expect("Waiting ")
        terminal.type(try desk.deployment.callback(of: address))
        #expect(terminal.end() == .status(0))
        let rows = terminal.transcript.split(separator: "\r\n", omittingEmptySubsequences: false)
          .map { line in
            let shown = line.split(separator: "\r").last ?? ""
            return max(1, (shown.count + 79) / 80)
          }
        #expect(rows.reduce(0, +) <= 24, "\(terminal.transcript)")
      }
    }
  }

  @Test func `shows that a server is waited for, and nothing where it is quick`() throws {
    try Desk.with { desk in
      let start = ContinuousClock.now
      try desk.withTerminal(
        ["login", desk.url, "--method", "oauth"], environment: desk.browser()
      ) { terminal in
        #expect(terminal.end() == .status(0))
        let isQuick = start.duration(to: .now) < .milliseconds(500)
        #expect(!terminal.transcript.contains("Waiting for 127.0.0.1") || !isQuick)
      }
      for endpoint in [
        DeploymentSimulator.Endpoint.metadata, .exchange, .account, "GET /oauth2/clients/*",
      ] {
        desk.deployment.inject(.hold, at: endpoint)
        try desk.withTerminal(
          ["login", desk.url, "--method", "oauth"], environment: desk.browser()
        ) { terminal in
          try terminal.expect("Waiting for 127.0.0.1:\(desk.deployment.port) … ")
          desk.deployment.releaseHeld()
          #expect(terminal.end() == .status(0))
          #expect(terminal.transcript.contains("\r\u{1B}[K\r"))
        }
      }
    }
  }

  @Test func `shows that another process is waited for`() throws {
    try Desk.withSession { desk in
      try desk.age()
      desk.deployment.inject(.hold, at: .refresh)
      let child = try desk.start(["token", desk.url], log: "/dev/null")
      waitFor("the refresh") { !desk.deployment.refreshes.isEmpty }
      try desk.withTerminal(
        ["login", desk.url, "--method", "oauth"], environment: desk.browser()
      ) { terminal in
        try terminal.expect("Waiting for another process that works on this session … ")
        desk.deployment.releaseHeld()
        #expect(terminal.end() == .status(0))
      }
      #expect(child.waitForExit() != nil)
      try desk.waitForRefreshes()
    }
  }

  @Test func `says who is signed in already`() throws {
    try Desk.with(.unlocked, .init(era: .c, users: ["alice", "bob"])) { desk in
      try desk.login()
      try desk.login("--account", "bob", as: "bob")
      let again = try desk.login()
      #expect(again.stderr.hasPrefix("alice, bob are signed in to \(desk.url) already.\n"))
      desk.deployment.revokeGrant(user: "bob")
      try desk.age()
      _ = try desk.run(["token", desk.url, "--account", "bob"])
      let last = try desk.login()
      #expect(last.stderr.hasPrefix("alice is signed in to \(desk.url) already.\n"))
    }
  }

  @Test func `takes an address that line breaks divide, and tells one that is cut off`() throws {
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        let callback = try desk.deployment.callback(of: try desk.address(on: terminal))
        try terminal.expect("Waiting 5 minutes")
        let state = try #require(callback.range(of: "&state="))
        terminal.type(String(callback[..<state.lowerBound]))
        try terminal.expect("That address is cut off; paste all of it, from http to its end.")
        // What is missing completes it.
        terminal.type(String(callback[state.lowerBound...]))
        #expect(terminal.end() == .status(0))
      }
      for places in [[20, 60], [30, 90], [70, 71, 100]] {
        try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
          var callback = try desk.deployment.callback(of: try desk.address(on: terminal))
          for place in places.reversed() {
            callback.insert("\n", at: callback.index(callback.startIndex, offsetBy: place))
          }
          terminal.type(callback)
          #expect(terminal.end() == .status(0))
          #expect(!terminal.transcript.contains("newest tab"))
          #expect(!terminal.transcript.contains("paste all of it"))
        }
      }
    }
  }

  @Test(arguments: ["q", "quit", "qr"])
  func `takes a piece of an address for what a person may type only if it comes alone`(
    word: String
  ) throws {
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        let callback = try desk.deployment.callback(of: try desk.address(on: terminal))
        try terminal.expect("Waiting 5 minutes")
        terminal.type(callback.replacingOccurrences(of: "?", with: "?\n\(word)\n=x&"))
        #expect(terminal.end() == .status(0), "\(terminal.transcript)")
      }
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        _ = try desk.address(on: terminal)
        try terminal.expect("Waiting 5 minutes")
        terminal.type("http://127.0.0.1/callback?code=x")
        try terminal.expect("That address is cut off; paste all of it, from http to its end.")
        terminal.type("q")
        #expect(terminal.end() == .status(1))
      }
    }
  }
}
