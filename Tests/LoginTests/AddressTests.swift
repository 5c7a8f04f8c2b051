import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// The address that a person gives, before anything is asked of them.
@Suite(.blocking) struct `The address` {
  private static func login(_ desk: Desk, _ address: String, input: String = "") throws
    -> CommandResult
  {
    try desk.run(["login", address], input: input, environment: desk.browser())
  }

  @Test(arguments: ["ftp", "htp", "ssh"])
  func `of another protocol is refused, and the right one is told`(scheme: String) throws {
    try Desk.with { desk in
      let host = desk.url.replacingOccurrences(of: "http://", with: "")
      let result = try Self.login(desk, "\(scheme)://\(host)")
      expectFailure(result, 65, saying: "\(scheme)://\(host) is no Coder deployment")
      #expect(result.message("hint") == "coder-cred login https://\(host)")
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test(arguments: ["auto", "oauth", "token"])
  func `of no deployment is told before a token is asked for, and gets none`(method: String) throws
  {
    for other in [
      DeploymentSimulator.Fault.status(404), .htmlPage, .status(200, body: "{}"),
      .redirect(to: "/login"),
    ] {
      try Desk.with { desk in
        desk.deployment.change { $0.oauthAbsent = true }
        desk.deployment.inject(other, at: "GET /api/v2/buildinfo", times: 9)
        let token = desk.deployment.session(user: "alice")
        let result = try desk.run(
          ["login", desk.url, "--method", method], input: token + "\n", environment: desk.browser())
        expectLoginFailure(result, 65)
        #expect(result.message("error")?.hasPrefix("\(desk.url) is no Coder deployment: ") == true)
        #expect(desk.deployment.requests.allSatisfy { $0.headers["coder-session-token"] == nil })
        #expect(desk.deployment.requests.allSatisfy { $0.path != "/api/v2/users/me" })
        try desk.withTerminal(["login", desk.url, "--method", method]) { terminal in
          try terminal.expect("is no Coder deployment")
          #expect(terminal.end() == .status(65))
          #expect(!terminal.transcript.contains("Paste the token"))
        }
      }
    }
  }

  @Test(arguments: ["/workspaces", "/@alice/dev/terminal", "/templates/a/b/"])
  func `of a page is not signed in to, and the deployment's is named`(page: String) throws {
    try Desk.with { desk in
      let result = try Self.login(desk, desk.url + page)
      expectLoginFailure(result, 65)
      #expect(result.message("hint") == "coder-cred login \(desk.url)")
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test(arguments: [true, false])
  func `of a page is corrected at a terminal, if the person agrees`(agrees: Bool) throws {
    try Desk.with { desk in
      try desk.withTerminal(["login", "<\(desk.url)/workspaces?filter=owner:me>"]) { terminal in
        try terminal.expect(
          "\(desk.url)/workspaces is a page of \(desk.url). Sign in there? [Y/n] ")
        terminal.type(agrees ? "" : "n")
        guard agrees else {
          // What was just declined is no advice, and the address was not wrong.
          try terminal.expect("error: not signed in to \(desk.url); nothing was changed\r\n")
          #expect(terminal.end() == .status(65))
          return
        }
        try terminal.expect("[T]oken? ")
        terminal.type("b")
        terminal.type(try desk.deployment.callback(of: try desk.address(on: terminal)))
        #expect(terminal.end() == .status(0))
      }
      #expect(
        try desk.sessions().map { $0.attributes["deployment"] } == (agrees ? [desk.url] : []))
    }
  }

  @Test func `of the deployment itself may have quotation marks, and a query at a terminal`()
    throws
  {
    try Desk.with { desk in
      let result = try Self.login(desk, " '\(desk.url)/'\n")
      #expect(result.status == 0, "\(result.stderr)")
      for page in ["/?redirect=x", "/#y"] {
        let refused = try Self.login(desk, desk.url + page)
        expectFailure(refused, 65)
        #expect(refused.message("hint") == "coder-cred login \(desk.url)")
      }
      let address = "\"\(desk.url)/?redirect=x#y\""
      try desk.withTerminal(["login", address], environment: desk.browser()) { terminal in
        try terminal.expect("[T]oken? ")
        terminal.type("")
        #expect(terminal.end() == .status(0))
      }
      #expect(try desk.sessions().map { $0.attributes["deployment"] } == [desk.url])
    }
  }

  @Test func `of a deployment below a path is not mistaken for a page`() throws {
    var settings = DeploymentSimulator.Settings()
    settings.basePath = "/coder"
    try Desk.with(.unlocked, settings) { desk in
      let result = try Self.login(desk, desk.url + "/workspaces")
      expectLoginFailure(result, 65)
      #expect(result.message("hint") == "coder-cred login \(desk.url)")
      try desk.login()
    }
  }

  @Test func `without a protocol, of a server on this machine that speaks http, is completed`()
    throws
  {
    try Desk.with { desk in
      let host = desk.url.replacingOccurrences(of: "http://", with: "")
      let result = try Self.login(desk, host)
      expectFailure(result, 65, saying: "\(host) speaks http, not https")
      #expect(result.message("hint") == "coder-cred login \(desk.url)")
      try desk.withTerminal(["login", host, "--method", "oauth"]) { terminal in
        try terminal.expect("\(host) speaks http, not https. Sign in to \(desk.url)? [Y/n] ")
        terminal.type("y")
        terminal.type(try desk.deployment.callback(of: try desk.address(on: terminal)))
        #expect(terminal.end() == .status(0))
      }
      try desk.token()
    }
  }

  @Test func `with https, of a server on this machine that speaks http, is told at once`() throws {
    try Desk.with { desk in
      let host = desk.url.replacingOccurrences(of: "http://", with: "")
      let result = try Self.login(desk, "https://\(host)")
      expectFailure(result, 65, saying: "\(host) speaks http, not https")
      #expect(result.message("hint") == "coder-cred login \(desk.url)")
    }
  }

  @Test(arguments: ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
  func `behind a proxy that is gone is told with the proxy's variable`(variable: String) throws {
    try Desk.with { desk in
      let port = try LoopbackListener.freePort()
      let proxy = [variable: "http://127.0.0.1:\(port)"]
      let result = try desk.run(
        ["login", "https://dev.example.com"],
        environment: desk.browser().merging(proxy) { $1 })
      expectLoginFailure(result, 75)
      #expect(
        result.message("hint")
          == "\(variable) leads through the proxy 127.0.0.1:\(port): unset \(variable), or add "
          + "dev.example.com to NO_PROXY")
      let report = try desk.run(["doctor", "--json"], environment: proxy)
      #expect(report.stdout.contains("\(variable) names 127.0.0.1:\(port), where nothing answers"))
    }
  }

  @Test func `that nobody answers at is told with what was tried`() throws {
    try Desk.with { desk in
      let port = try LoopbackListener.freePort()
      let result = try Self.login(desk, "127.0.0.1:\(port)")
      expectLoginFailure(result, 75)
      #expect(
        result.message("error")?.hasPrefix("https://127.0.0.1:\(port) did not answer") == true)
      #expect(
        result.message("hint")
          == "check the address; it names no protocol, so https:// was tried")
      let named = try Self.login(desk, "https://127.0.0.1:\(port)")
      #expect(named.message("hint") == "check the address")
    }
  }

  @Test func `that is missing is asked for at a terminal, and else told to be missing`() throws {
    try Desk.with { desk in
      let result = try desk.run(["login"])
      expectFailure(result, 64, saying: "which deployment?")
      #expect(result.message("hint") == "coder-cred login URL")
      try desk.withTerminal(["login"]) { terminal in
        try terminal.expect("Address of your Coder deployment: ")
        terminal.type(desk.url)
        try terminal.expect("[T]oken? ")
        terminal.type("")
        terminal.type(try desk.deployment.callback(of: try desk.address(on: terminal)))
        #expect(terminal.end() == .status(0))
      }
      // Where one is known, that is meant.
      let again = try desk.run(["login"], environment: desk.browser())
      #expect(again.status == 0 && again.stderr.contains("Signed in to \(desk.url)"))
    }
  }
}
