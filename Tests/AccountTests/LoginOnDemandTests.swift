import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `Signing in on demand` {
  /// Works at a desk with a display and a session that has ended.
  private func withEndedSession(_ work: (Desk) throws -> Void) throws {
    try Desk.with { desk in
      desk.environment = try desk.browser()
      try desk.login()
      desk.deployment.revokeGrant()
      try desk.eraseToken()
      #expect(try desk.run(["get"], input: desk.request()).status == 1)
      desk.environment["WAYLAND_DISPLAY"] = "wayland-7"
      // No notification is to be shown here.
      try desk.configure("notifications=false")
      desk.deployment.clearLog()
      try work(desk)
    }
  }

  private func logins(_ desk: Desk) -> Int {
    desk.deployment.requests.tokenRequests(grant: "authorization_code").count
  }

  @Test func `get --interactive signs in when the session is over, and prints the credential`()
    throws
  {
    try withEndedSession { desk in
      let result = try desk.run(["get", "--interactive"], input: desk.request())
      #expect(result.status == 0, "\(result.stderr)")
      #expect(result.stdout.contains("password="))
      #expect(logins(desk) == 1)
      #expect(try desk.run(["get", "--interactive", desk.url]).status == 0)
      #expect(logins(desk) == 1)
    }
  }

  @Test func `The configuration can ask for it, for one deployment`() throws {
    try withEndedSession { desk in
      try desk.write("[\(desk.url)]\ninteractive=true\n", to: desk.configuration)
      #expect(try desk.run(["get"], input: desk.request()).status == 0)
      #expect(logins(desk) == 1)
    }
  }

  @Test func `A sign-in as somebody else gives no credential for the account asked for`() throws {
    try withEndedSession { desk in
      desk.environment.merge(try desk.browser(["--user", "bob"])) { $1 }
      let result = try desk.run(
        ["get", "--interactive"], input: "url=\(desk.url)\nusername=alice\n")
      #expect(result.status == 77)
      #expect(result.stdout.isEmpty)
    }
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
  func `Where git forbids it, or nobody could respond, nobody is asked`(
    _ environment: [String: String]
  ) throws {
    try withEndedSession { desk in
      let result = try desk.run(
        ["get", "--interactive"], input: desk.request(), environment: environment)
      #expect(result.status == 1)
      #expect(result.stdout.isEmpty)
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test func `git's files count, for the URL they name`() throws {
    try withEndedSession { desk in
      let file = "\(desk.directory)/home/.gitconfig"
      try desk.write("[credential \"https://other.example\"]\n\tinteractive = false\n", to: file)
      #expect(try desk.run(["get", "--interactive"], input: desk.request()).status == 0)
      try withEndedSession { other in
        let otherFile = "\(other.directory)/home/.gitconfig"
        try other.write("[credential \"\(other.url)\"]\n\tinteractive = no\n", to: otherFile)
        #expect(try other.run(["get", "--interactive"], input: "url=\(other.url)\n").status == 1)
        #expect(other.deployment.requests.isEmpty)
      }
    }
  }

  @Test func `A git in the working directory is not run`() throws {
    try withEndedSession { desk in
      let folder = "\(desk.directory)/home/hostile"
      try desk.write("#!/bin/sh\ntouch '\(folder)/ran'\necho false\n", to: "\(folder)/git")
      chmod("\(folder)/git", 0o755)
      let path = ".::\(desk.desktop.environment["PATH"] ?? "")"
      let result = try desk.run(
        "/usr/bin/setsid", ["--wait", desk.program, "get", "--interactive", desk.url],
        environment: desk.environment.merging(["PATH": path]) { $1 }, directory: folder)
      #expect(result.status == 0, "\(result.stderr)")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/ran"))
    }
  }
}
