import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// How a login ends when nobody allows it, or when others do.
@Suite(.blocking) struct `The end of waiting` {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A denial is told with who denied, and nothing is kept, here or there`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      let denied = try desk.login(browser: ["--deny"], status: 77)
      #expect(
        denied.message("error")
          == "\(desk.url): access was denied by whoever was asked in the browser")
      #expect(
        denied.message("hint")
          == "nothing was kept; to be asked again: coder-cred login \(desk.url)")
      #expect(try desk.sessions().isEmpty && desk.registrations().isEmpty)
      #expect(desk.deployment.registeredClients.isEmpty)
      try desk.login()
      // Who is signed in stays so, and is told so.
      let again = try desk.login(browser: ["--deny"], status: 77)
      #expect(again.message("hint")?.hasPrefix("alice stays signed in as before; ") == true)
      try desk.token("--min-ttl", "31536000")
    }
  }

  @Test func `A denial with a reason of the server's own is told with that`() throws {
    try Desk.with { desk in
      let waiting = try WaitingLogin(desk)
      let state = try waiting.parameter("state")
      _ = try waiting.open(
        "error=access_denied&error_description=The%20office%20is%20closed&state=\(state)")
      waiting.expectEnd(77, saying: "by whoever was asked in the browser: \"The office is closed\"")
    }
  }

  @Test func `A page nobody comes back from ends it in time`() throws {
    try Desk.with(.unlocked, .init(era: .a)) { desk in
      try desk.configure("sign-in-timeout=1")
      let late = try desk.login(browser: ["--abandon"], status: 75)
      #expect(late.stderr.contains("Waiting 1 s for the answer"))
      #expect(late.message("error") == "nobody finished signing in to \(desk.url) in time")
      #expect(late.message("hint")?.contains("coder-cred login \(desk.url)") == true)
      for value in ["0", "3601", "soon", ""] {
        try desk.configure("sign-in-timeout=\(value)")
        try desk.login(status: 64)
      }
    }
  }

  @Test func `An error of the authorization is shown cleaned, on both screens`() throws {
    try Desk.with { desk in
      let waiting = try WaitingLogin(desk)
      let shown = try waiting.open(
        "error=server_error&error_description=%1B%5B31m%3Cscript%3Ebroken%0A&state="
          + waiting.parameter("state"))
      #expect(shown.status == 400 && shown.page.contains("&lt;script&gt;broken"))
      #expect(!shown.page.contains("<script>") && !shown.page.contains("\u{1B}"))
      waiting.expectEnd(76, saying: "(server_error: \"[31m<script>broken\")")
      #expect(!waiting.output.contains("\u{1B}"))
    }
  }

  @Test(arguments: [15, 1, 2] as [Int32])
  func `A signal ends it, and the next login starts at once`(signal: Int32) throws {
    try Desk.with { desk in
      let waiting = try WaitingLogin(desk)
      _ = try waiting.address()
      waiting.process.terminate(signal: signal)
      #expect(waiting.process.waitForExit() == .signal(signal))
      #expect(try desk.sessions().isEmpty)
      try desk.login()
      #expect(desk.deployment.registeredClients.count == 1)
    }
  }

  @Test func `A signal while the code is exchanged waits until the session is kept`() throws {
    try Desk.with { desk in
      desk.deployment.inject(.hold, at: .exchange)
      let waiting = try WaitingLogin(desk)
      #expect(
        try Exchange.send("GET", desk.deployment.callback(of: waiting.address())).status == 200)
      waitFor("the exchange") { !desk.deployment.requests.tokenRequests().isEmpty }
      waiting.process.terminate(signal: 15)
      #expect(waiting.process.waitForExit(timeoutSeconds: 0.2) == nil)
      desk.deployment.releaseHeld()
      // It may be over before the signal has its say.
      _ = waiting.process.waitForExit()
      #expect([.signal(15), .status(0)].contains(waiting.process.exit))
      try desk.token()
    }
  }

  @Test func `Four logins at once need one authorization, and all succeed`() throws {
    try Desk.with(.unlocked, .init(era: .b)) { desk in
      for login in try Self.four(desk) {
        login.expectEnd(0, saying: "Signed in to \(desk.url) as alice.")
      }
      #expect(
        desk.deployment.registrationRequests == 1 && desk.deployment.authorizationRequests == 1)
      #expect(desk.deployment.requests.tokenRequests(grant: "authorization_code").count == 1)
      try desk.token()
    }
  }

  @Test func `Who waits is not asked once more after a denial`() throws {
    try Desk.with { desk in
      for login in try Self.four(desk, browser: ["--deny"]) {
        if login.hasWaited {
          login.expectEnd(75, saying: "error: the other sign-in to \(desk.url) did not succeed")
        } else {
          login.expectEnd(77)
        }
      }
      #expect(desk.deployment.authorizationRequests == 1)
      // The next one is a new question.
      try desk.login()
    }
  }

  /// Four logins at once, of which three wait for the fourth when it goes on.
  private static func four(_ desk: Desk, browser flags: [String] = []) throws -> [WaitingLogin] {
    desk.deployment.inject(.hold, at: .registration)
    let browser = try desk.browser(flags)
    let logins = try (0..<4).map { _ in
      try WaitingLogin(desk, noBrowser: false, environment: browser)
    }
    waitFor("three that wait") { logins.count { $0.hasWaited } == 3 }
    desk.deployment.releaseHeld()
    return logins
  }

  @Test func `A sign-in completed elsewhere ends the waiting one with success`() throws {
    try Desk.with { desk in
      let waiting = try WaitingLogin(desk)
      _ = try waiting.address()
      let token = desk.deployment.session(user: "alice")
      try desk.login("--method", "token", input: token + "\n")
      waiting.expectEnd(0, saying: "Signed in to \(desk.url) as alice.")
      #expect(try desk.token() == token)
    }
  }

  @Test func `A sign-in of somebody else does not end one for an account`() throws {
    try Desk.with { desk in
      let waiting = try WaitingLogin(desk, ["--account", "alice"])
      _ = try waiting.address()
      let token = desk.deployment.session(user: "bob")
      try desk.login("--method", "token", input: token + "\n")
      #expect(waiting.process.waitForExit(timeoutSeconds: 2.5) == nil)
      #expect(
        try Exchange.send("GET", desk.deployment.callback(of: waiting.address())).status == 200)
      waiting.expectEnd(0, saying: "as alice.")
      #expect(try desk.sessions().map(\.account) == ["alice", "bob"])
    }
  }

  @Test func `Of two that wait, the second takes over when the first is given up`() throws {
    try Desk.with { desk in
      let first = try WaitingLogin(desk)
      _ = try first.address()
      let second = try WaitingLogin(desk)
      waitFor("the second to wait") { second.output.contains("Another sign-in") }
      first.process.terminate()
      #expect(
        try Exchange.send("GET", desk.deployment.callback(of: second.address())).status == 200)
      second.expectEnd(0)
      #expect(desk.deployment.registeredClients.count == 1)
    }
  }
}

extension WaitingLogin {
  /// Whether it has waited for another sign-in.
  fileprivate var hasWaited: Bool { output.contains("Another sign-in to ") }
}
