import DeploymentSimulator
import Foundation
import TestDesk
import Testing

extension Desk {
  /// Where the Coder CLI keeps its files.
  var coderCLI: String { "\(directory)/config/coderv2" }

  /// Signs the Coder CLI in, as far as its files go, and returns the token.
  @discardableResult
  func signInCoderCLI(
    token: String? = nil, url: String? = nil, in directory: String? = nil
  ) throws -> String {
    let directory = directory ?? coderCLI
    let token = token ?? deployment.session(user: "alice")
    try write("\(url ?? self.url)\n", to: "\(directory)/url")
    try write(token, to: "\(directory)/session")
    expectSecret(in: "\(directory)/session")
    return token
  }
}

@Suite(.blocking) struct `Import from the Coder CLI` {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `The Coder CLI's token becomes a session of its account`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      let token = try desk.signInCoderCLI()
      let result = try desk.run(["import", "--json"])
      #expect(result.status == 0, "\(result.stderr)")
      let outcome = try #require(try result.json() as? [String: Any])
      #expect(outcome["deployment"] as? String == desk.url)
      #expect(outcome["account"] as? String == "alice")
      #expect(outcome["imported"] as? Bool == true)
      #expect(outcome["removed"] as? Bool == false)
      #expect(FileManager.default.fileExists(atPath: "\(desk.coderCLI)/session"))
      #expect(try desk.run(["token"]).stdout == token + "\n")
      #expect(try desk.run(["import", "--remove"]).status == 0)
      #expect(!FileManager.default.fileExists(atPath: "\(desk.coderCLI)/session"))
      #expect(FileManager.default.fileExists(atPath: "\(desk.coderCLI)/url"))
      #expect(desk.deployment.isValid(accessToken: token))
    }
  }

  @Test func `The directory is the one given, else the one that the CLI's variable names`() throws {
    try Desk.with { desk in
      let token = desk.deployment.session(user: "alice")
      let elsewhere = "\(desk.directory)/home/elsewhere"
      try desk.signInCoderCLI(token: "  \(token)\r\n\n", in: elsewhere)
      let nothing = try desk.run(["import", "--json"])
      #expect(nothing.status == 0)
      #expect(nothing.stdout == "{\"imported\":false,\"removed\":false}\n")
      #expect(
        try desk.run(["import"], environment: ["CODER_CONFIG_DIR": elsewhere]).status == 0)
      #expect(try desk.run(["token"]).stdout == token + "\n")
      #expect(try desk.run(["logout"]).status == 0)
      #expect(try desk.run(["import", "--config-dir", elsewhere]).status == 0)
    }
  }

  @Test func `On a terminal yes removes the file, and anything else does not`() throws {
    try Desk.with { desk in
      try desk.signInCoderCLI()
      for (reply, isThere) in [("no", true), ("", true), ("yes", false)] {
        try desk.withTerminal(["import"]) { terminal in
          try terminal.expect("[y/N]")
          terminal.type(reply)
          #expect(terminal.end() == .status(0))
        }
        #expect(FileManager.default.fileExists(atPath: "\(desk.coderCLI)/session") == isThere)
      }
    }
  }

  @Test func `An OAuth session of the same account is never replaced`() throws {
    try Desk.with { desk in
      try desk.login()
      try desk.signInCoderCLI()
      let result = try desk.run(["import", "--remove"])
      #expect(result.status == 0)
      #expect(result.stderr.contains("OAuth session of alice"))
      #expect(!FileManager.default.fileExists(atPath: "\(desk.coderCLI)/session"))
      let rows = try desk.run(["status", "--json"]).rows()
      #expect(rows.map { $0["method"] as? String } == ["oauth"])
    }
  }

  @Test func `A dead token, a foreign page and a silent server each have their status`() throws {
    try Desk.with { desk in
      try desk.signInCoderCLI(token: "0123456789-\(desk.canary.word)0123456789012")
      #expect(try desk.run(["import", "--remove"]).status == 1)
      try desk.signInCoderCLI()
      desk.deployment.inject(.htmlPage, at: .account)
      #expect(try desk.run(["import", "--remove"]).status == 75)
      desk.deployment.inject(.status(404), at: .account)
      #expect(try desk.run(["import", "--remove"]).status == 76)
      desk.deployment.stop()
      #expect(try desk.run(["import", "--remove"]).status == 75)
      #expect(FileManager.default.fileExists(atPath: "\(desk.coderCLI)/session"))
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `A locked keyring ends it before the token is sent anywhere`() throws {
    try Desk.with { desk in
      try desk.signInCoderCLI()
      try desk.desktop.lock()
      #expect(try desk.run(["import", "--remove"]).status == 69)
      #expect(desk.deployment.requests.isEmpty)
      #expect(FileManager.default.fileExists(atPath: "\(desk.coderCLI)/session"))
    }
  }

  @Test func `A link of one's own is followed, and the file behind it removed`() throws {
    try Desk.with { desk in
      let token = try desk.signInCoderCLI()
      let (path, real) = ("\(desk.coderCLI)/session", "\(desk.directory)/home/dotfiles/session")
      try FileManager.default.removeItem(atPath: path)
      try desk.write(token, to: real)
      desk.expectSecret(in: real)
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: real)
      let result = try desk.run(["import", "--remove"])
      #expect(result.status == 0, "\(result.stderr)")
      #expect(!FileManager.default.fileExists(atPath: real))
      #expect(try desk.run(["token"]).stdout == token + "\n")
    }
  }

  @Test func `Where there is nothing, it is said where that would be`() throws {
    try Desk.with { desk in
      let result = try desk.run(["import"])
      #expect(result.status == 0 && result.stderr.contains(desk.coderCLI), "\(result.stderr)")
      let elsewhere = try desk.run(["import", "--config-dir", "/nowhere"])
      #expect(elsewhere.stderr.contains("/nowhere"))
    }
  }

  @Test(arguments: ["foreign link", "pipe", "directory", "huge", "foreign", "blank", "binary"])
  func `What is not a small file of our own with a token in it is not read`(
    _ kind: String
  ) throws {
    try Desk.with { desk in
      let token = try desk.signInCoderCLI()
      let path = "\(desk.coderCLI)/session"
      try FileManager.default.removeItem(atPath: path)
      switch kind {
      case "foreign link":
        // Only root can give files away.
        guard geteuid() == 0 else { return }
        try desk.write(token, to: "\(desk.coderCLI)/real")
        desk.expectSecret(in: "\(desk.coderCLI)/real")
        try FileManager.default.createSymbolicLink(
          atPath: path, withDestinationPath: "\(desk.coderCLI)/real")
        lchown(path, 65_534, 65_534)
      case "pipe": mkfifo(path, 0o600)
      case "directory":
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      case "huge": try desk.write(String(repeating: desk.canary.word, count: 1000), to: path)
      case "foreign":
        // Only root can give files away; anyone else has no such file.
        guard geteuid() == 0 else { return }
        try desk.write(token, to: path)
        chown(path, 65_534, 65_534)
      case "blank": try desk.write(" \n", to: path)
      default: try desk.write("\(desk.canary.word)\u{1B}[2J\nHost: evil", to: path)
      }
      let result = try desk.run(["import", "--remove"])
      #expect(result.status == 65, "\(result.stderr)")
      #expect(desk.deployment.requests.isEmpty)
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test(arguments: ["http://dev.example", "https://u:p@dev.example", "ftp://h", "a b", "https://"])
  func `A URL that no token may go to is refused`(_ url: String) throws {
    try Desk.with { desk in
      try desk.signInCoderCLI(url: url)
      let result = try desk.run(["import"])
      #expect(result.status == 65, "\(result.stderr)")
    }
  }
}
