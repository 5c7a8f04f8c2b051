import Foundation
import TestDesk
import Testing

/// Calls that somebody mistyped.
@Suite(.blocking) struct `A call with a slip in it` {
  @Test(arguments: [
    (["configure", "foo"], "one of git, coder, vscode, claude,"),
    (["header", "--format", "yaml"], "one of coder, lines, json,"),
    (["login", "--method", "magic"], "one of 'auto', 'oauth',"),
  ])
  func `is told what is possible, in one line`(arguments: [String], words: String) throws {
    try Desk.with(.withoutBus) { desk in
      let result = try desk.run(arguments)
      expectFailure(result, 64, saying: words)
      #expect(!result.stderr.contains("\u{FFFD}"))
    }
  }

  @Test(arguments: [
    (["lgoin"], "login"), (["stauts"], "status"), (["tokn", "https://h.example"], "token"),
    (["heder", "--format", "lines"], "header"), (["--account", "alice", "gte"], "get"),
  ])
  func `is told which command was meant`(arguments: [String], command: String) throws {
    try Desk.with(.withoutBus) { desk in
      let typed = try #require(arguments.first { !["--account", "alice"].contains($0) })
      let shown = try desk.shown(arguments, status: 64)
      #expect(
        shown == """
          coder-cred: error: there is no command “\(typed)”; did you mean \(command)?
          coder-cred: hint: coder-cred --help

          """)
    }
  }

  @Test func `is told so also where no command is like it, and on a pipe`() throws {
    try Desk.with(.withoutBus) { desk in
      #expect(
        try desk.shown(["frobnicate"], status: 64).contains("there is no command “frobnicate”\n"))
      expectFailure(
        try desk.run(["tokn", "https://h.example"]), 64, saying: "did you mean token?")
      // git asks so for operations that only later versions know.
      expectSilence(try desk.run(["frobnicate"]))
      expectSilence(try desk.run(["--account", "alice", "frobnicate"]))
      // It adds no option.
      expectFailure(try desk.run(["refesh", "--due"]), 64, saying: "did you mean refresh?")
    }
  }

  @Test(arguments: [["exec", "ls"], ["exec", "ls", "-l"], ["exec", "--account", "alice", "ls"]])
  func `of exec without -- is told that this is missing`(arguments: [String]) throws {
    try Desk.with(.withoutBus) { desk in
      let result = try desk.desktop.run(desk.program, arguments)
      expectFailure(result, 64, saying: "-- is missing before the command")
      #expect(result.message("hint") == "coder-cred exec -- COMMAND")
    }
  }

  @Test func `finds what people do before what tools do in the help`() throws {
    try Desk.with(.withoutBus) { desk in
      let help = try desk.run(["--help"]).stdout
      let people = try #require(help.range(of: "FOR PEOPLE"))
      let tools = try #require(help.range(of: "FOR TOOLS"))
      #expect(people.lowerBound < tools.lowerBound)
      #expect(help.contains("is passed over in silence"))
    }
  }

  @Test func `names an address, a request or a password with what would be right`() throws {
    try Desk.withSession { desk in
      let address = try desk.run(["token", "https://"])
      expectFailure(address, 65, saying: "the host is missing")
      #expect(address.message("hint") == "a deployment's address is like https://dev.coder.com")
      let request = try desk.run(["get"])
      expectFailure(request, 65)
      #expect(request.message("hint")?.hasSuffix("coder-cred get URL") == true)
      let lines = "protocol=https\nhost=git.example.com\nusername=ann\npassword=\(desk.plant())\n"
      try desk.run(["store"], input: lines)
      for arguments in [
        ["token", "https://git.example.com"], ["api", "/x", "--url", "git.example.com"],
      ] {
        let password = try desk.run(arguments)
        expectFailure(password, 65, saying: "what is stored is a password, not a token")
        #expect(password.message("hint")?.hasPrefix("git uses it by itself") == true)
      }
      expectFailure(
        try desk.run(["token", "--account", "bob"]), 1,
        saying: "nobody is signed in as bob to \(desk.url)")
    }
  }

  @Test func `store tells a person what it reads`() throws {
    try Desk.with { desk in
      try desk.withTerminal(["store"]) { terminal in
        try terminal.expect("up to an empty line.")
        terminal.type("url=https://git.example.com")
        terminal.type("")
        #expect(terminal.end() == .status(0))
      }
    }
  }
}
