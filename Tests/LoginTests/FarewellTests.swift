import DeploymentSimulator
import Foundation
import Glibc
import TestDesk
import Testing

/// A sign-in that the person ends, and what they are told of how they stand now.
@Suite(.blocking) struct `Ending a sign-in` {
  private static func stays(_ desk: Desk) -> String {
    "nothing was changed; alice stays signed in to \(desk.url)"
  }

  @Test func `by q says who stays signed in`() throws {
    try Desk.withSession { desk in
      try desk.withTerminal(["login", desk.url]) { terminal in
        try terminal.expect("[T]oken? ")
        terminal.type("q")
        try terminal.expect(Self.stays(desk))
        #expect(terminal.end() == .status(1))
        #expect(!terminal.transcript.contains("not signed in"))
      }
      try desk.token()
    }
  }

  @Test func `by Ctrl-C at a question says so`() throws {
    try Desk.withSession { desk in
      try desk.withTerminal(["login", desk.url]) { terminal in
        try terminal.expect("[T]oken? ")
        terminal.pressControlC()
        try terminal.expect(Self.stays(desk))
        #expect(terminal.end() == .signal(SIGINT))
      }
      try desk.withTerminal(["login", desk.url, "--method", "token"]) { terminal in
        try terminal.expect("(it stays hidden): ")
        terminal.pressControlC()
        try terminal.expect(Self.stays(desk))
        #expect(terminal.end() == .signal(SIGINT))
      }
    }
  }

  @Test(arguments: [false, true])
  func `by Ctrl-C while the browser is waited for says so`(isSignedIn: Bool) throws {
    try Desk.with { desk in
      if isSignedIn { try desk.login() }
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        try terminal.expect("Waiting 5 minutes")
        terminal.pressControlC()
        try terminal.expect(
          isSignedIn ? Self.stays(desk) : "not signed in to \(desk.url); nothing was changed")
        #expect(terminal.end() == .signal(SIGINT))
      }
    }
  }

  @Test func `by declining the deployment of a page is no advice to sign in there`() throws {
    var settings = DeploymentSimulator.Settings()
    settings.basePath = "/coder"
    try Desk.with(.unlocked, settings) { desk in
      try desk.withTerminal(["login", desk.url + "/workspaces"]) { terminal in
        try terminal.expect("Sign in there? [Y/n] ")
        terminal.type("n")
        try terminal.expect("not signed in to \(desk.url); nothing was changed")
        #expect(terminal.end() == .status(65))
        #expect(!terminal.transcript.contains("hint:"))
      }
    }
  }
}
