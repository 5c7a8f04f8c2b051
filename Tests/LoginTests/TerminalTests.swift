import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What a person at a terminal sees, is asked, and can break off.
@Suite(.blocking) struct `At a terminal` {
  @Test func `The method is asked for where both are possible, and the browser comes first`()
    throws
  {
    try Desk.with { desk in
      for choice in ["", "b", "Browser"] {
        try desk.withTerminal(["login", desk.url]) { terminal in
          try terminal.expect("[B]rowser (recommended), or with a session [T]oken? ")
          terminal.type(choice)
          terminal.type(try desk.deployment.callback(of: try desk.address(on: terminal)))
          #expect(terminal.end() == .status(0))
        }
      }
      #expect(try desk.sessions().first?["method"] == "oauth")
    }
  }

  @Test(arguments: ["t", "Token"])
  func `A token is not shown while it is typed`(choice: String) throws {
    try Desk.with { desk in
      let token = desk.deployment.session(user: "alice")
      try desk.withTerminal(["login", desk.url]) { terminal in
        try terminal.expect("[T]oken? ")
        terminal.type(choice)
        try terminal.expect("  \(desk.url)/cli-auth\r\n")
        try terminal.expect("(it stays hidden): ")
        #expect(!terminal.isEchoing)
        terminal.type(token)
        try terminal.expect("Signed in to \(desk.url) as alice.")
        #expect(terminal.end() == .status(0))
        #expect(!terminal.transcript.contains(desk.canary.word))
      }
      #expect(try desk.token() == token)
    }
  }

  @Test func `A deployment without OAuth is not asked about`() throws {
    try Desk.with { desk in
      desk.deployment.change { $0.oauthAbsent = true }
      try desk.withTerminal(["login", desk.url]) { terminal in
        try terminal.expect("A session token will do instead.")
        try terminal.expect("(it stays hidden): ")
        terminal.type(desk.deployment.session(user: "alice"))
        #expect(terminal.end() == .status(0))
      }
    }
  }

  @Test func `Where registration is off, an administrator's command and a token are offered`()
    throws
  {
    try Desk.with(.unlocked, .init(era: .b)) { desk in
      desk.deployment.setRegistration(enabled: false)
      try desk.withTerminal(["login", desk.url]) { terminal in
        try terminal.expect("does not let programs register themselves")
        try terminal.expect("coder oauth2-provider dcr enable")
        try terminal.expect("(it stays hidden): ")
        terminal.type(desk.deployment.session(user: "alice"))
        #expect(terminal.end() == .status(0))
      }
      #expect(try desk.sessions().first?["method"] == "token")
    }
  }

  @Test func `Whatever ends a hidden prompt, the terminal shows again what is typed`() throws {
    try Desk.with { desk in
      for signal in [2, 15, 1, 3] as [Int32] {
        try desk.withTerminal(["login", desk.url, "--method", "token"]) { terminal in
          try terminal.expect("(it stays hidden): ")
          #expect(!terminal.isEchoing)
          if signal == 2 { terminal.pressControlC() } else { terminal.signal(signal) }
          #expect(terminal.end() == .signal(signal))
          #expect(terminal.isEchoing)
        }
      }
      #expect(try desk.sessions().isEmpty)
    }
  }

  @Test func `Ctrl-Z does not uncover a hidden prompt`() throws {
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url, "--method", "token"]) { terminal in
        try terminal.expect("(it stays hidden): ")
        terminal.signal(20)
        terminal.type(desk.deployment.session(user: "alice"))
        #expect(terminal.end() == .status(0))
      }
    }
  }

  @Test func `Ctrl-C while waiting leaves nothing behind, and the next login starts at once`()
    throws
  {
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url, "--method", "oauth"]) { terminal in
        try terminal.expect("Waiting 5 minutes")
        terminal.pressControlC()
        #expect(terminal.end() == .signal(2))
      }
      #expect(try desk.sessions().isEmpty)
      let files = FileManager.default.enumerator(atPath: "\(desk.directory)/run")
      for case let name as String in files ?? .init() where !name.hasPrefix("keyring") {
        let size = try FileManager.default.attributesOfItem(
          atPath: "\(desk.directory)/run/\(name)")
        #expect(
          size[.type] as? FileAttributeType != .typeRegular || size[.size] as? Int == 0, "\(name)")
      }
      try desk.login()
      #expect(desk.deployment.registeredClients.count == 1)
    }
  }

  @Test func `In the background it reads nothing that is typed, and goes on`() throws {
    try Desk.with { desk in
      try desk.withTerminal(
        "/bin/sh", ["-mc", "'\(desk.program)' login --method oauth '\(desk.url)' & wait $!"]
      ) { terminal in
        let address = try desk.address(on: terminal)
        try terminal.expect("Waiting 5 minutes")
        terminal.type("make")
        #expect(try desk.deployment.browse(authorizationURL: address).callbackStatus == 200)
        try terminal.expect("Signed in to \(desk.url) as alice.")
        #expect(terminal.end() == .status(0))
        #expect(!terminal.output.contains("does not know that code"))
      }
    }
  }

  @Test(arguments: [true, false])
  func `Another address of the deployment is asked about`(agrees: Bool) throws {
    try Desk.with { desk in
      // The same server by another name is another address.
      let typed = "http://localhost:\(desk.deployment.port)"
      try desk.withTerminal(["login", typed, "--method", "oauth"]) { terminal in
        try terminal.expect("\(typed) says that it is \(desk.url). Sign in there? [y/N] ")
        terminal.type(agrees ? "y" : "n")
        if agrees {
          terminal.type(try desk.deployment.callback(of: try desk.address(on: terminal)))
        }
        #expect(terminal.end() == .status(agrees ? 0 : 76))
      }
      #expect(
        try desk.sessions().map { $0.attributes["deployment"] } == (agrees ? [desk.url] : []))
    }
  }

  @Test(arguments: ["xterm", "dumb"])
  func `A spinner turns where it can be seen, and is wiped away`(type: String) throws {
    try Desk.with { desk in
      let browser = try desk.browserScript("here", "echo \"$1\" >\(desk.directory)/opened")
      let environment = ["DISPLAY": ":99", "TERM": type].merging(browser) { $1 }
      try desk.withTerminal(["login", desk.url, "--method", "oauth"], environment: environment) {
        terminal in
        let address = try desk.address(on: terminal)
        if type == "xterm" { try terminal.expect("⠙ Waiting for your browser") }
        #expect(try desk.deployment.browse(authorizationURL: address).callbackStatus == 200)
        #expect(terminal.end() == .status(0))
        #expect(terminal.output.contains("Waiting for") == (type == "xterm"))
        #expect(!terminal.output.contains("paste"))
        let lines = terminal.output.split(separator: "\r\n")
        #expect(
          lines.contains {
            $0.split(separator: "\r").last?.hasSuffix("Signed in to \(desk.url) as alice.") == true
          },
          "\(lines)")
      }
    }
  }

  @Test func `A client's secret is asked for without showing it`() throws {
    try Desk.with { desk in
      let app = desk.deployment.addApplication(
        name: "by hand", redirectURIs: ["http://127.0.0.1/callback"])
      try desk.withTerminal(["login", desk.url, "--method", "oauth", "--client-id", app.id]) {
        terminal in
        try terminal.expect("Client secret (empty if it has none): ")
        terminal.type(app.secret)
        let address = try desk.address(on: terminal)
        #expect(!terminal.transcript.contains(desk.canary.word))
        terminal.type(try desk.deployment.callback(of: address))
        #expect(terminal.end() == .status(0))
      }
      try desk.token("--min-ttl", "31536000")
    }
  }
}
