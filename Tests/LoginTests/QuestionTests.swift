import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What a person is asked when signing in, and how they may answer.
@Suite(.blocking) struct `A question` {
  @Test(arguments: ["no", "x", "1", "browsers", "the browser"])
  func `takes no answer that it does not understand`(answer: String) throws {
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url]) { terminal in
        try terminal.expect("[T]oken? ")
        terminal.type(answer)
        try terminal.expect("That is no answer here, and was not shown. Type one of b, t; q ends.")
        try terminal.expect("[T]oken? ")
        terminal.type("t")
        try terminal.expect("(it stays hidden): ")
        terminal.type(desk.deployment.session(user: "alice"))
        #expect(terminal.end() == .status(0))
      }
    }
  }

  @Test func `shows no secret that is pasted in its place, and keeps asking`() throws {
    try Desk.with { desk in
      let secrets = [desk.plant(), "b" + desk.plant(), desk.deployment.session(user: "alice")]
      try desk.withTerminal(["login", desk.url]) { terminal in
        for secret in secrets {
          try terminal.expect("[T]oken? ")
          terminal.type(secret)
        }
        try terminal.expect("[T]oken? ")
        terminal.type("q")
        #expect(terminal.end() == .status(1))
        #expect(!desk.canary.isIn(terminal.transcript))
      }
      #expect(desk.deployment.authorizationRequests == 0)
    }
  }

  @Test(arguments: ["q\n", "Quit\n", "\u{4}"])
  func `is ended by q and by Ctrl-D, and nothing is changed`(keys: String) throws {
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url]) { terminal in
        try terminal.expect("[T]oken? ")
        terminal.press(keys)
        try terminal.expect("not signed in to \(desk.url); nothing was changed")
        #expect(terminal.end() == .status(1))
      }
      #expect(try desk.desktop.items().isEmpty && desk.deployment.registeredClients.isEmpty)
    }
  }

  @Test func `that nobody understands five times ends the sign-in`() throws {
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url]) { terminal in
        for _ in 1...5 {
          try terminal.expect("[T]oken? ")
          terminal.type("maybe")
        }
        #expect(terminal.end() == .status(1))
      }
    }
  }

  @Test func `may be corrected with Backspace, Ctrl-U and arrow keys`() throws {
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url]) { terminal in
        try terminal.expect("[T]oken? ")
        terminal.press("bx\u{7F}\u{8}\u{1B}[A\u{1B}OBzz\u{15}tok\n")
        try terminal.expect("(it stays hidden): ")
        terminal.type(desk.deployment.session(user: "alice"))
        #expect(terminal.end() == .status(0))
      }
    }
  }

  @Test func `for the method is not asked of who names a client, and the redirect is told`() throws
  {
    try Desk.with { desk in
      let app = desk.deployment.addApplication(
        name: "by hand", redirectURIs: ["http://127.0.0.1/callback"])
      try desk.withTerminal(["login", desk.url, "--client-id", app.id]) {
        terminal in
        try terminal.expect("The client must have this redirect URI: http://127.0.0.1:")
        try terminal.expect("Client secret (empty if it has none): ")
        terminal.type("'\(app.secret)' ")
        terminal.type(try desk.deployment.callback(of: try desk.address(on: terminal)))
        #expect(terminal.end() == .status(0))
        #expect(!terminal.transcript.contains("[T]oken"))
        #expect(!desk.canary.isIn(terminal.output))
      }
    }
  }

  @Test func `for a token is asked again when it is mistyped, twice`() throws {
    try Desk.with { desk in
      let token = desk.deployment.session(user: "alice")
      try desk.withTerminal(["login", desk.url, "--method", "token"]) { terminal in
        for mistyped in [String(token.dropLast()), "ü\(token)"] {
          try terminal.expect("(it stays hidden): ")
          terminal.type(mistyped)
          try terminal.expect("Try again; Enter alone ends.")
        }
        try terminal.expect("(it stays hidden): ")
        terminal.type(token)
        #expect(terminal.end() == .status(0))
        #expect(terminal.transcript.components(separatedBy: "/cli-auth").count == 2)
      }
      try desk.withTerminal(["login", desk.url, "--method", "token"]) { terminal in
        for _ in 1...3 {
          try terminal.expect("(it stays hidden): ")
          terminal.type("wrong-\(desk.canary.word)")
        }
        #expect(terminal.end() == .status(77))
      }
      #expect(try desk.token() == token)
    }
  }

  @Test(arguments: [
    "'TOKEN'", "\"TOKEN\"", "  TOKEN\t", "`TOKEN`", "<TOKEN>", "\u{1B}[200~TOKEN\u{1B}[201~",
  ])
  func `for a token takes it with quotation marks, blanks and what terminals add`(
    pasted: String
  ) throws {
    try Desk.with { desk in
      let token = desk.deployment.session(user: "alice")
      try desk.withTerminal(["login", desk.url, "--method", "token"]) { terminal in
        try terminal.expect("(it stays hidden): ")
        terminal.type(pasted.replacingOccurrences(of: "TOKEN", with: token))
        #expect(terminal.end() == .status(0))
      }
      #expect(try desk.token() == token)
    }
  }

  @Test func `for a token takes one that a line break divides`() throws {
    try Desk.with { desk in
      let token = desk.deployment.session(user: "alice")
      try desk.withTerminal(["login", desk.url, "--method", "token"]) { terminal in
        try terminal.expect("(it stays hidden): ")
        terminal.type("\(token.prefix(12))\n\(token.dropFirst(12))\n")
        #expect(terminal.end() == .status(0))
        #expect(!terminal.transcript.contains(token.dropFirst(12)))
      }
      #expect(try desk.token() == token)
    }
  }

  @Test func `that hides its answer is suspended by Ctrl-Z with the terminal as it was`() throws {
    try Desk.with { desk in
      let token = desk.deployment.session(user: "alice")
      let script = """
        '\(desk.program)' login --method token '\(desk.url)'
        echo "suspended $?"; stty -a | tr ' ;' '\\n\\n' | grep -cxE 'echo|icanon|isig'; fg; echo "ended $?"
        """
      try desk.withTerminal("/bin/bash", ["-mc", script]) { terminal in
        try terminal.expect("(it stays hidden): ")
        terminal.press("\u{1A}")
        try terminal.expect("suspended 148")
        try terminal.expect("3\r\n")
        // The question stands there again, and hides what is typed.
        try terminal.expect("(it stays hidden): ")
        waitFor("the quiet terminal") { !terminal.isEchoing }
        terminal.type(token)
        try terminal.expect("ended 0")
        #expect(terminal.end() == .status(0))
        #expect(!terminal.transcript.contains(desk.canary.word))
      }
      #expect(try desk.token() == token)
    }
  }

  @Test func `is asked in ASCII where the locale has nothing else`() throws {
    try Desk.with { desk in
      try desk.login(environment: ["LC_ALL": "C"])
      for (locale, isPlain) in [("C", true), ("POSIX", true), ("de_DE.UTF-8", false)] {
        let browser = try desk.browserScript("idle", "sleep 1; exec true")
        let environment = ["LC_ALL": locale, "DISPLAY": ":9"].merging(browser) { $1 }
        try desk.withTerminal(["login", desk.url, "--method", "oauth"], environment: environment) {
          terminal in
          let address = try desk.address(on: terminal)
          try terminal.expect("Waiting for your browser")
          #expect(try desk.deployment.browse(authorizationURL: address).callbackStatus == 200)
          #expect(terminal.end() == .status(0))
          #expect(terminal.transcript.allSatisfy(\.isASCII) == isPlain, "\(terminal.transcript)")
        }
      }
    }
  }
}
