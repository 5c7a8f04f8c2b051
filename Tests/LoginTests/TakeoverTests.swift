import DeploymentSimulator
import Foundation
import Glibc
import TestDesk
import Testing

/// A sign-in that somebody left waiting, and another one to the same deployment.
@Suite(.blocking) struct `An abandoned sign-in` {
  @Test(arguments: [false, true])
  func `is named with its process, and taken over by Enter`(isSuspended: Bool) throws {
    try Desk.with { desk in
      let abandoned = try WaitingLogin(desk)
      _ = try abandoned.address()
      if isSuspended { abandoned.process.terminate(signal: SIGSTOP) }
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        try terminal.expect(
          "Another sign-in to \(desk.url) is under way (process \(abandoned.process.pid), for ")
        try terminal.expect("Press Enter to end it and go on here, or wait for it; q gives up.")
        terminal.type("")
        try terminal.expect("Ending the other sign-in …")
        terminal.type(try desk.deployment.callback(of: try desk.address(on: terminal)))
        #expect(terminal.end() == .status(0))
      }
      #expect(abandoned.process.waitForExit() == .signal(SIGTERM))
      // It took back what it had begun.
      #expect(desk.deployment.registeredClients.count == 1)
      try desk.token()
    }
  }

  @Test func `is ended by Enter alone, not by an answer to another question`() throws {
    try Desk.with { desk in
      let first = try WaitingLogin(desk)
      let address = try first.address()
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        try terminal.expect("q gives up.")
        terminal.type("b")
        try terminal.expect("Enter alone ends the other sign-in; q gives up.")
        terminal.type("q")
        #expect(terminal.end() == .status(1))
      }
      #expect(try Exchange.send("GET", desk.deployment.callback(of: address)).status == 200)
      first.expectEnd(0)
    }
  }

  @Test(arguments: ["q\n", "\u{4}"])
  func `goes on when the one who waits for it gives up`(keys: String) throws {
    try Desk.with { desk in
      let first = try WaitingLogin(desk)
      let address = try first.address()
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        try terminal.expect("q gives up.")
        terminal.press(keys)
        #expect(terminal.end() == .status(1))
      }
      #expect(try Exchange.send("GET", desk.deployment.callback(of: address)).status == 200)
      first.expectEnd(0)
    }
  }

  @Test func `that is just about to succeed is not ended in the middle`() throws {
    try Desk.with { desk in
      desk.deployment.inject(.hold, at: .exchange)
      let first = try WaitingLogin(desk)
      let callback = try desk.deployment.callback(of: first.address())
      #expect(try Exchange.send("GET", callback).status == 200)
      waitFor("the exchange") { !desk.deployment.requests.tokenRequests().isEmpty }
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        try terminal.expect("q gives up.")
        terminal.type("")
        try terminal.expect("Ending the other sign-in …")
        desk.deployment.releaseHeld()
        try terminal.expect("Signed in to \(desk.url) as alice.")
        #expect(terminal.end() == .status(0))
      }
      #expect(desk.deployment.authorizationRequests == 1)
      try desk.token()
    }
  }

  @Test func `without a terminal is waited for, and its process is told`() throws {
    try Desk.with { desk in
      let first = try WaitingLogin(desk)
      let address = try first.address()
      let second = try WaitingLogin(desk)
      waitFor("the second to wait") {
        second.output.contains("is under way (process \(first.process.pid), for ")
      }
      #expect(try Exchange.send("GET", desk.deployment.callback(of: address)).status == 200)
      first.expectEnd(0)
      second.expectEnd(0)
    }
  }
}
