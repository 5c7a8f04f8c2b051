import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite struct InteractiveTests {
  /// A desk with a desktop and a session that has ended.
  func desk() throws -> Desk {
    let desk = try Desk()
    try desk.login()
    desk.deployment.revokeGrant()
    let request = "url=\(desk.url)\n"
    let line = try desk.run("get", input: request).stdout.split(separator: "\n")
      .first { $0.hasPrefix("password=") }
    try desk.run("erase", input: "\(request)\(try #require(line))\n")
    #expect(try desk.run("get", input: request).status == 1)
    desk.environment["WAYLAND_DISPLAY"] = "wayland-7"
    // No notification is to be shown here.
    try desk.write("[coder-cred]\nnotifications=false\n", to: desk.configuration)
    desk.deployment.clearLog()
    return desk
  }

  func signIns(_ desk: Desk) -> Int {
    desk.deployment.requests.tokenRequests(grant: "authorization_code").count
  }

  @Test func `get --interactive signs in when the session is over, and answers`() throws {
    let desk = try desk()
    let result = try desk.run("get", "--interactive", input: "url=\(desk.url)\n")
    #expect(result.status == 0, "\(result.stderr)")
    #expect(result.stdout.contains("password="))
    #expect(signIns(desk) == 1)
    #expect(try desk.run("get", "--interactive", desk.url).status == 0)
    #expect(signIns(desk) == 1)
  }

  @Test func `The configuration can ask for it, for one deployment`() throws {
    let desk = try desk()
    try desk.write("[\(desk.url)]\ninteractive=true\n", to: desk.configuration)
    #expect(try desk.run("get", input: "url=\(desk.url)\n").status == 0)
    #expect(signIns(desk) == 1)
  }

  @Test func `A sign-in as somebody else does not answer for the account asked for`() throws {
    let desk = try desk()
    desk.environment["BROWSER"] = try desk.browser(as: "bob")
    let result = try desk.run(
      "get", "--interactive", input: "url=\(desk.url)\nusername=alice\n")
    #expect(result.status == 1)
    #expect(result.stdout.isEmpty)
  }

  @Test(
    arguments: [
      ["GIT_TERMINAL_PROMPT": "0"], ["GIT_TERMINAL_PROMPT": "false"],
      [
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "credential.interactive",
        "GIT_CONFIG_VALUE_0": "false",
      ],
      ["GIT_CONFIG_PARAMETERS": "'credential.interactive=never'"],
      ["WAYLAND_DISPLAY": ""],
    ])
  func `Where git forbids it, or nobody could answer, nobody is asked`(
    _ environment: [String: String]
  ) throws {
    let desk = try desk()
    let result = try desk.run(
      "get", "--interactive", environment: environment, input: "url=\(desk.url)\n")
    #expect(result.status == 1)
    #expect(result.stdout.isEmpty)
    #expect(desk.deployment.requests.isEmpty)
  }

  @Test func `git's files count, for the URL they name`() throws {
    let desk = try desk()
    let file = "\(desk.session.directory)/home/.gitconfig"
    try desk.write("[credential \"https://other.example\"]\n\tinteractive = false\n", to: file)
    #expect(try desk.run("get", "--interactive", input: "url=\(desk.url)\n").status == 0)
    let other = try self.desk()
    let otherFile = "\(other.session.directory)/home/.gitconfig"
    try other.write("[credential \"\(other.url)\"]\n\tinteractive = no\n", to: otherFile)
    #expect(try other.run("get", "--interactive", input: "url=\(other.url)\n").status == 1)
    #expect(other.deployment.requests.isEmpty)
  }

  @Test func `A git in the working directory is not run`() throws {
    let desk = try desk()
    let folder = "\(desk.session.directory)/home/hostile"
    try desk.write("#!/bin/sh\ntouch '\(folder)/ran'\necho false\n", to: "\(folder)/git")
    chmod("\(folder)/git", 0o755)
    let path = ".::\(desk.session.environment["PATH"] ?? "")"
    let result = try desk.session.run(
      "/usr/bin/setsid", ["--wait", desk.program, "get", "--interactive", desk.url],
      environment: desk.environment.merging(["PATH": path]) { $1 }, directory: folder)
    #expect(result.status == 0, "\(result.stderr)")
    #expect(!FileManager.default.fileExists(atPath: "\(folder)/ran"))
  }
}
