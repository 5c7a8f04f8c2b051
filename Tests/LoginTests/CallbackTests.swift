import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// The ways by which the callback reaches the login.
@Suite(.blocking) struct `The callback` {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `The loopback receiver takes it from the browser, and shows a page`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      let waiting = try WaitingLogin(desk)
      let visit = try desk.deployment.browse(authorizationURL: waiting.address())
      #expect(visit.callbackStatus == 200 && visit.callbackPage.contains("You can close this tab"))
      waiting.expectEnd(0, saying: "Signed in to \(desk.url) as alice.")
      try desk.token()
    }
  }

  @Test func `Another request changes nothing, and a second callback finds nobody`() throws {
    try Desk.with { desk in
      let waiting = try WaitingLogin(desk)
      let state = try waiting.parameter("state")
      for query in [
        "", "code=x", "code=x&state=y", "error=access_denied", "state=\(state)x&code=x",
      ] {
        #expect(try waiting.open(query).status == 400)
      }
      let callback = try desk.deployment.callback(of: waiting.address())
      #expect(try Exchange.send("GET", callback).status == 200)
      waiting.expectEnd(0)
      #expect(throws: (any Error).self) { try Exchange.send("GET", callback) }
    }
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `The address of the last page can be pasted`(era: DeploymentSimulator.Era) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        let address = try desk.address(on: terminal)
        try terminal.expect("and paste it here.")
        terminal.type(try desk.deployment.callback(of: address))
        #expect(terminal.end() == .status(0))
      }
      try desk.token()
    }
  }

  @Test func `Quotes around a pasted address do no harm`() throws {
    try Desk.with { desk in
      for quote in ["'", "\"", "<"] {
        try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
          let callback = try desk.deployment.callback(of: try desk.address(on: terminal))
          terminal.type(" \(quote)\(callback)\(quote == "<" ? ">" : quote)")
          #expect(terminal.end() == .status(0))
        }
      }
    }
  }

  @Test(arguments: ["code", "query"])
  func `The bare code can be pasted, and the query alone`(what: String) throws {
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        let callback = try desk.deployment.callback(of: try desk.address(on: terminal))
        let parts = try #require(URLComponents(string: callback))
        let code = parts.queryItems?.first { $0.name == "code" }?.value
        terminal.type(try #require(what == "code" ? code : parts.query))
        #expect(terminal.end() == .status(0))
      }
      try desk.token()
    }
  }

  @Test func `A wrong paste is explained, and the right one still counts`() throws {
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        let address = try desk.address(on: terminal)
        try terminal.expect("Waiting 5 minutes")
        terminal.type("")
        terminal.type(desk.url + "/oauth2/authorize")
        try terminal.expect("That is not the address of this sign-in's last page")
        terminal.type("http://127.0.0.1:1/callback?code=x&state=another")
        try terminal.expect("That is not the address of this sign-in's last page")
        terminal.type(address)
        try terminal.expect("That is the address to open; paste the one that your browser shows")
        terminal.type(address.replacing("response_type=", with: "type="))
        try terminal.expect("That cannot be used: the response holds neither a code nor an error")
        terminal.type(try desk.deployment.callback(of: address))
        #expect(terminal.end() == .status(0))
      }
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        let address = try desk.address(on: terminal)
        terminal.type("coder_mistyped_code")
        try terminal.expect("The deployment does not know that code")
        terminal.type(try desk.deployment.callback(of: address))
        #expect(terminal.end() == .status(0))
      }
      try desk.token()
    }
  }

  @Test(arguments: ["foobar", "hello", "what do I do now, please?"])
  func `What is no code is not sent to the deployment`(typed: String) throws {
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        let address = try desk.address(on: terminal)
        try terminal.expect("Waiting 5 minutes")
        terminal.type(typed)
        try terminal.expect("That is neither the address of the last page nor a code.")
        #expect(desk.deployment.requests.tokenRequests().isEmpty)
        terminal.type(try desk.deployment.callback(of: address))
        #expect(terminal.end() == .status(0))
      }
    }
  }

  @Test func `The line for ssh names the user, whatever the environment does`() throws {
    try Desk.with { desk in
      let ssh = ["SSH_CONNECTION": "203.0.113.9 5000 203.0.113.5 22", "USER": ""]
      try desk.withTerminal(["login", desk.url, "--method", "oauth"], environment: ssh) {
        terminal in
        try terminal.expect("ssh -N -L ")
        let line = try terminal.expect("@203.0.113.5")
        #expect(line.last?.isWhitespace == false, "\(line)")
        terminal.pressControlC()
        _ = terminal.end()
      }
    }
  }

  @Test func `A QR code that does not fit is not drawn, and what helps is said`() throws {
    try Desk.with { desk in
      let script = "stty rows 12 cols 300; exec \"$0\" login \"$1\" --method oauth"
      try desk.withTerminal("/bin/sh", ["-c", script, desk.program, desk.url]) { terminal in
        let address = try desk.address(on: terminal)
        try terminal.expect("qr shows a QR code")
        terminal.type("qr")
        try terminal.expect("the terminal has 12 and 300")
        try terminal.expect("Still waiting")
        #expect(!terminal.transcript.contains("▀"))
        terminal.type(try desk.deployment.callback(of: address))
        #expect(terminal.end() == .status(0))
      }
    }
  }

  @Test func `A denial can be pasted too`() throws {
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        let address = try desk.address(on: terminal)
        terminal.type(try desk.deployment.callback(of: address, decision: .deny))
        #expect(terminal.end() == .status(77))
      }
      #expect(try desk.sessions().isEmpty)
    }
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A coder-cred link is delivered by another process`(era: DeploymentSimulator.Era) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      let handler = "\(desk.directory)/handler"
      _ = try desk.browserScript(
        "handler", "exec '\(desk.program)' callback \"$1\" 2>>\(handler).log")
      try desk.login("--redirect", "scheme", browser: ["--handler", handler])
      try desk.token()
      let redirect = desk.deployment.requests.first { $0.path == "/oauth2/authorize" }?
        .query["redirect_uri"]
      #expect(redirect == "coder-cred://oauth/callback")
      waitFor("the handler's word") {
        (try? String(contentsOfFile: "\(handler).log", encoding: .utf8))
          == "Handed to the login that waits for it.\n"
      }
    }
  }

  @Test(arguments: [false, true])
  func `A copied address is delivered by another process`(isPiped: Bool) throws {
    try Desk.with { desk in
      let waiting = try WaitingLogin(desk)
      #expect(try waiting.address().hasPrefix(desk.url))
      #expect(waiting.output.contains("\n  coder-cred callback 'ADDRESS'\n"))
      let callback = try desk.deployment.callback(of: waiting.address())
      let result = try desk.run(
        ["callback", isPiped ? "-" : callback], input: isPiped ? callback + "\n" : "")
      #expect(result.status == 0 && result.output.isEmpty)
      waiting.expectEnd(0)
      try desk.token()
      // Nobody waits any more.
      #expect(try desk.run(["callback", callback]).status == 1)
    }
  }

  @Test(arguments: [false, true])
  func `A copied address may have line breaks and blanks in it`(isPiped: Bool) throws {
    try Desk.with { desk in
      let waiting = try WaitingLogin(desk)
      var callback = try desk.deployment.callback(of: waiting.address())
      for place in [90, 60, 30] {
        callback.insert(
          contentsOf: "\r\n", at: callback.index(callback.startIndex, offsetBy: place))
      }
      let result = try desk.run(
        ["callback", isPiped ? "-" : " \(callback)\n"], input: isPiped ? callback : "")
      #expect(result.status == 0, "\(result.stderr)")
      waiting.expectEnd(0)
    }
  }

  private static let rubbish = [
    "", "x", "http://127.0.0.1/callback", "http://127.0.0.1/callback?code=x",
    "coder-cred://oauth/callback?state=a&state=b&code=x", "?state=%zz",
    "?state=" + String(repeating: "a", count: 9000),
  ]

  @Test func `An address that is no callback is malformed`() throws {
    try Desk.with { desk in
      for uri in Self.rubbish {
        let result = try desk.run(["callback", "--", uri])
        #expect(result.status == 65, "\(uri)")
      }
    }
  }

  @Test func `Two logins each get their own callback`() throws {
    try Desk.with { desk in
      let other = try desk.anotherDeployment(.init(era: .b))
      defer { other.stop() }
      let first = try WaitingLogin(desk)
      let second = try WaitingLogin(desk, to: other.url)
      let visit = try other.browse(
        authorizationURL: second.address(), followingCallback: false)
      #expect(try desk.run(["callback", #require(visit.callback)]).status == 0)
      second.expectEnd(0)
      #expect(first.process.exit == nil)
      #expect(
        try desk.run(["callback", desk.deployment.callback(of: first.address())]).status == 0)
      first.expectEnd(0)
      // Two deployments on one host, told apart by their ports alone.
      let places = try desk.sessions().map { $0.attributes["deployment"] }
      #expect(Set(places) == [desk.url, other.url])
      try desk.token()
      let token = try desk.run(["token", other.url]).stdout
      #expect(other.isValid(accessToken: token.trimmingCharacters(in: .newlines)))
    }
  }
}
