import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite struct ImportTests {
  /// Signs the Coder CLI in, as far as its files go.
  func signInCLI(_ desk: Desk, token: String? = nil, url: String? = nil) throws -> String {
    let token = token ?? desk.deployment.session(user: "alice")
    try desk.write("\(url ?? desk.url)\n", to: "\(desk.coderCLI)/url")
    try desk.write(token, to: "\(desk.coderCLI)/session")
    return token
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `The Coder CLI's token becomes a session of its account`(
    era: DeploymentSimulator.Era
  ) throws {
    let desk = try Desk(era: era)
    let token = try signInCLI(desk)
    let result = try desk.run("import", "--json")
    #expect(result.status == 0, "\(result.stderr)")
    let outcome = try #require(try desk.json(result) as? [String: Any])
    #expect(outcome["deployment"] as? String == desk.url)
    #expect(outcome["account"] as? String == "alice")
    #expect(outcome["imported"] as? Bool == true)
    #expect(outcome["removed"] as? Bool == false)
    #expect(FileManager.default.fileExists(atPath: "\(desk.coderCLI)/session"))
    #expect(try desk.run("token").stdout == token + "\n")
    #expect(try desk.run("import", "--remove").status == 0)
    #expect(!FileManager.default.fileExists(atPath: "\(desk.coderCLI)/session"))
    #expect(FileManager.default.fileExists(atPath: "\(desk.coderCLI)/url"))
    #expect(desk.deployment.isValid(accessToken: token))
  }

  @Test func `The directory is the one given, else the one that the CLI's variable names`() throws {
    let desk = try Desk()
    let token = desk.deployment.session(user: "alice")
    let elsewhere = "\(desk.session.directory)/home/elsewhere"
    try desk.write(desk.url, to: "\(elsewhere)/url")
    try desk.write("  \(token)\r\n\n", to: "\(elsewhere)/session")
    let nothing = try desk.run("import", "--json")
    #expect(nothing.status == 0)
    #expect(nothing.stdout == "{\"imported\":false,\"removed\":false}\n")
    #expect(
      try desk.run("import", environment: ["CODER_CONFIG_DIR": elsewhere]).status == 0)
    #expect(try desk.run("token").stdout == token + "\n")
    #expect(try desk.run("logout").status == 0)
    #expect(try desk.run("import", "--config-dir", elsewhere).status == 0)
  }

  @Test func `On a terminal a y removes the file, and anything else does not`() throws {
    let desk = try Desk()
    _ = try signInCLI(desk)
    for (answer, isThere) in [("no", true), ("", true), ("yes", false)] {
      let result = try desk.session.run(
        "script", ["-qec", "'\(desk.program)' import", "/dev/null"],
        input: Array("\(answer)\n".utf8), timeoutSeconds: 30)
      #expect(result.stdout.contains("[y/N]"), "\(result.stdout)")
      #expect(FileManager.default.fileExists(atPath: "\(desk.coderCLI)/session") == isThere)
    }
  }

  @Test func `An OAuth session of the same account is never replaced`() throws {
    let desk = try Desk()
    try desk.login()
    _ = try signInCLI(desk)
    let result = try desk.run("import", "--remove")
    #expect(result.status == 0)
    #expect(result.stderr.contains("OAuth session of alice"))
    #expect(!FileManager.default.fileExists(atPath: "\(desk.coderCLI)/session"))
    let rows = try desk.rows(try desk.run("status", "--json"))
    #expect(rows.map { $0["method"] as? String } == ["oauth"])
  }

  @Test func `A dead token, a foreign page and a silent server each have their status`() throws {
    let desk = try Desk()
    _ = try signInCLI(desk, token: "0123456789-\(Desk.canary)0123456789012")
    #expect(try desk.run("import", "--remove").status == 1)
    _ = try signInCLI(desk)
    desk.deployment.inject(.htmlPage, at: .account)
    #expect(try desk.run("import", "--remove").status == 75)
    desk.deployment.inject(.status(404), at: .account)
    #expect(try desk.run("import", "--remove").status == 76)
    desk.deployment.stop()
    #expect(try desk.run("import", "--remove").status == 75)
    #expect(FileManager.default.fileExists(atPath: "\(desk.coderCLI)/session"))
    #expect(try desk.items().isEmpty)
  }

  @Test func `A locked keyring ends it before the token is sent anywhere`() throws {
    let desk = try Desk()
    _ = try signInCLI(desk)
    try desk.session.lock()
    #expect(try desk.run("import", "--remove").status == 69)
    #expect(desk.deployment.requests.isEmpty)
    #expect(FileManager.default.fileExists(atPath: "\(desk.coderCLI)/session"))
  }

  @Test(arguments: ["link", "pipe", "directory", "huge", "foreign", "blank", "binary"])
  func `What is not a small file of our own with a token in it is not read`(
    _ kind: String
  ) throws {
    let desk = try Desk()
    let token = try signInCLI(desk)
    let path = "\(desk.coderCLI)/session"
    try FileManager.default.removeItem(atPath: path)
    switch kind {
    case "link":
      try desk.write(token, to: "\(desk.coderCLI)/real")
      try FileManager.default.createSymbolicLink(
        atPath: path, withDestinationPath: "\(desk.coderCLI)/real")
    case "pipe": mkfifo(path, 0o600)
    case "directory":
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    case "huge": try desk.write(String(repeating: Desk.canary, count: 1000), to: path)
    case "foreign":
      // Only root can give files away; anyone else has no such file.
      guard geteuid() == 0 else { return }
      try desk.write(token, to: path)
      chown(path, 65_534, 65_534)
    case "blank": try desk.write(" \n", to: path)
    default: try desk.write("\(Desk.canary)\u{1B}[2J\nHost: evil", to: path)
    }
    let result = try desk.run("import", "--remove")
    #expect(result.status == 65, "\(result.stderr)")
    #expect(desk.deployment.requests.isEmpty)
    #expect(try desk.items().isEmpty)
  }

  @Test(arguments: ["http://dev.example", "https://u:p@dev.example", "ftp://h", "a b", "https://"])
  func `A URL that no token may go to is refused`(_ url: String) throws {
    let desk = try Desk()
    _ = try signInCLI(desk, url: url)
    let result = try desk.run("import")
    #expect(result.status == 65, "\(result.stderr)")
  }
}
