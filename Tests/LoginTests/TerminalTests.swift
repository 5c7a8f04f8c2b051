import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What a person at a terminal sees, is asked, and can break off.
@Suite struct `At a terminal` {
  @Test func `The method is asked for where both are possible, and the browser comes first`()
    throws
  {
    try Desk.with { desk in
      for answer in ["", "b", "Browser"] {
        try desk.onScreen(["login", desk.url]) { screen in
          try screen.expect("[B]rowser (recommended), or with a session [T]oken? ")
          screen.type(answer)
          screen.type(try desk.callback(of: try desk.address(on: screen)))
          #expect(screen.end() == .status(0))
        }
      }
      #expect(try desk.sessions().first?["method"] as? String == "oauth")
    }
  }

  @Test(arguments: ["t", "Token"])
  func `A token is not shown while it is typed`(answer: String) throws {
    try Desk.with { desk in
      let token = desk.deployment.session(user: "alice")
      try desk.onScreen(["login", desk.url]) { screen in
        try screen.expect("[T]oken? ")
        screen.type(answer)
        try screen.expect("  \(desk.url)/cli-auth\r\n")
        try screen.expect("(it stays hidden): ")
        #expect(!screen.isSane)
        screen.type(token)
        try screen.expect("Signed in to \(desk.url) as alice.")
        #expect(screen.end() == .status(0))
        #expect(!screen.transcript.contains(desk.canary))
      }
      #expect(try desk.liveToken() == token)
    }
  }

  @Test func `A deployment without OAuth is not asked about`() throws {
    try Desk.with { desk in
      desk.deployment.change { $0.oauthAbsent = true }
      try desk.onScreen(["login", desk.url]) { screen in
        try screen.expect("A session token will do instead.")
        try screen.expect("(it stays hidden): ")
        screen.type(desk.deployment.session(user: "alice"))
        #expect(screen.end() == .status(0))
      }
    }
  }

  @Test func `Where registration is off, an administrator's command and a token are offered`()
    throws
  {
    try Desk.with(.init(era: .b)) { desk in
      desk.deployment.setRegistration(enabled: false)
      try desk.onScreen(["login", desk.url]) { screen in
        try screen.expect("does not let programs register themselves")
        try screen.expect("coder oauth2-provider dcr enable")
        try screen.expect("(it stays hidden): ")
        screen.type(desk.deployment.session(user: "alice"))
        #expect(screen.end() == .status(0))
      }
      #expect(try desk.sessions().first?["method"] as? String == "token")
    }
  }

  @Test func `Whatever ends a hidden prompt, the terminal shows again what is typed`() throws {
    try Desk.with { desk in
      for signal in [2, 15, 1, 3] as [Int32] {
        try desk.onScreen(["login", desk.url, "--method", "token"]) { screen in
          try screen.expect("(it stays hidden): ")
          #expect(!screen.isSane)
          if signal == 2 { screen.interrupt() } else { screen.signal(signal) }
          #expect(screen.end() == .signal(signal))
          #expect(screen.isSane)
        }
      }
      #expect(try desk.sessions().isEmpty)
    }
  }

  @Test func `Ctrl-Z does not uncover a hidden prompt`() throws {
    try Desk.with { desk in
      try desk.onScreen(["login", desk.url, "--method", "token"]) { screen in
        try screen.expect("(it stays hidden): ")
        screen.signal(20)
        screen.type(desk.deployment.session(user: "alice"))
        #expect(screen.end() == .status(0))
      }
    }
  }

  @Test func `Ctrl-C while waiting leaves nothing behind, and the next login starts at once`()
    throws
  {
    try Desk.with { desk in
      try desk.onScreen(["login", desk.url, "--method", "oauth"]) { screen in
        try screen.expect("Waiting 5 minutes")
        screen.interrupt()
        #expect(screen.end() == .signal(2))
      }
      #expect(try desk.sessions().isEmpty)
      let files = FileManager.default.enumerator(atPath: "\(desk.session.directory)/run")
      for case let name as String in files ?? .init() where !name.hasPrefix("keyring") {
        let size = try FileManager.default.attributesOfItem(
          atPath: "\(desk.session.directory)/run/\(name)")
        #expect(
          size[.type] as? FileAttributeType != .typeRegular || size[.size] as? Int == 0, "\(name)")
      }
      try desk.login()
      #expect(desk.deployment.registeredClients.count == 1)
    }
  }

  @Test func `In the background it reads nothing that is typed, and goes on`() throws {
    try Desk.with { desk in
      let variables = desk.session.environment.merging(["TERM": "xterm"]) { $1 }
      let screen = try Screen(
        "/bin/sh", ["-mc", "'\(desk.program)' login --method oauth '\(desk.url)' & wait $!"],
        environment: variables)
      defer { screen.close() }
      let address = try desk.address(on: screen)
      try screen.expect("Waiting 5 minutes")
      screen.type("make")
      #expect(try desk.deployment.browse(authorizationURL: address).callbackStatus == 200)
      try screen.expect("Signed in to \(desk.url) as alice.")
      #expect(screen.end() == .status(0))
      #expect(!screen.said.contains("does not know that code"))
    }
  }

  @Test(arguments: [true, false])
  func `Another address of the deployment is asked about`(agrees: Bool) throws {
    try Desk.with { desk in
      // The same server by another name is another address.
      let typed = "http://localhost:\(desk.deployment.port)"
      try desk.onScreen(["login", typed, "--method", "oauth"]) { screen in
        try screen.expect("\(typed) says that it is \(desk.url). Sign in there? [y/N] ")
        screen.type(agrees ? "y" : "n")
        if agrees { screen.type(try desk.callback(of: try desk.address(on: screen))) }
        #expect(screen.end() == .status(agrees ? 0 : 76))
      }
      #expect(
        try desk.sessions().map { $0.attributes["deployment"] } == (agrees ? [desk.url] : []))
    }
  }

  @Test(arguments: ["xterm", "dumb"])
  func `A spinner turns where it can be seen, and is wiped away`(terminal: String) throws {
    try Desk.with { desk in
      let browser = try desk.script("here", "echo \"$1\" >\(desk.session.directory)/opened")
      let environment = ["DISPLAY": ":99", "TERM": terminal].merging(browser) { $1 }
      try desk.onScreen(["login", desk.url, "--method", "oauth"], environment: environment) {
        screen in
        let address = try desk.address(on: screen)
        if terminal == "xterm" { try screen.expect("⠙ Waiting for your browser") }
        #expect(try desk.deployment.browse(authorizationURL: address).callbackStatus == 200)
        #expect(screen.end() == .status(0))
        #expect(screen.said.contains("Waiting for") == (terminal == "xterm"))
        #expect(!screen.said.contains("paste"))
        let lines = screen.said.split(separator: "\r\n")
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
      try desk.onScreen(["login", desk.url, "--method", "oauth", "--client-id", app.id]) {
        screen in
        try screen.expect("Client secret (empty if it has none): ")
        screen.type(app.secret)
        let address = try desk.address(on: screen)
        #expect(!screen.transcript.contains(desk.canary))
        screen.type(try desk.callback(of: address))
        #expect(screen.end() == .status(0))
      }
      try desk.liveToken("--min-ttl", "31536000")
    }
  }
}
