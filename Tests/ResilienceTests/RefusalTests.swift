import DeploymentSimulator
import Foundation
import TestDesk
import Testing

extension ResilienceTests {
  @Suite struct RefusalTests {
    private func attributes(_ life: Life, _ more: String...) -> String {
      (["url=\(life.url)"] + more).map { $0 + "\n" }.joined() + "\n"
    }

    @Test(arguments: DeploymentSimulator.Era.allCases)
    func `A revoked grant ends the session with one message and no more requests`(
      era: DeploymentSimulator.Era
    ) throws {
      try Life.with(.init(era: era)) { life in
        try life.age()
        life.deployment.revokeGrant()
        let first = try life.run("token", life.url)
        #expect(first.status == 1)
        #expect(first.stderr.contains("no longer accepts the session"))
        #expect(!first.stderr.contains("interrupted"))
        #expect(first.stderr.contains("coder-cred login \(life.url)"))
        #expect(life.refreshes.count == 1)
        for _ in 0..<3 { #expect(try life.run("token", life.url).status == 1) }
        #expect(life.deployment.requests.count == 1)
        try life.signIn()
        try life.expectToken()
      }
    }

    @Test func `A client that the server forgot ends the session, and signing in makes another`()
      throws
    {
      try Life.with { life in
        try life.age()
        life.deployment.deleteClient()
        #expect(try life.run("token", life.url).status == 1)
        try life.signIn()
        try life.expectToken()
      }
    }

    @Test func `Erasing forces one refresh in thirty seconds, however often git does it`() throws {
      try Life.with { life in
        let first = try life.expectToken()
        for _ in 0..<10 {
          let result = try life.run("get", input: attributes(life))
          let password = result.stdout.split(separator: "\n")
            .first { $0.hasPrefix("password=") }.map(String.init)
          try life.run("erase", input: attributes(life, try #require(password)))
        }
        #expect(life.refreshes.count == 1)
        let last = try life.expectToken()
        #expect(last != first)
      }
    }

    @Test func `A Bearer-only server and an old git: ten fetches force one refresh`() throws {
      try Life.with { life in
        let directory = life.session.directory
        for _ in 0..<10 {
          // git 2.39 knows no authtype: its password is never sent, refused all the same, and erased.
          let result = try life.session.run(
            "git",
            [
              "-c", "credential.helper=!\(life.program)", "ls-remote",
              "\(life.url)/api/v2/users/me/repo.git",
            ],
            environment: ["GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"],
            directory: directory)
          #expect(result.status != 0)
        }
        #expect(life.refreshes.count <= 1)
        try life.expectToken()
      }
    }

    @Test func `What git was refused comes back once, and is answered with a fresh token`() throws {
      try Life.with { life in
        let both = ["capability[]=authtype", "capability[]=state"]
        func ask(_ more: [String]) throws -> [String] {
          let result = try life.run(
            "get",
            input: (["url=\(life.url)"] + both + more).map { $0 + "\n" }.joined() + "\n")
          #expect(result.status == 0, "\(result.stderr)")
          return result.stdout.split(separator: "\n").map(String.init)
        }
        let first = try ask([])
        #expect(first.prefix(2) == both[...])
        #expect(first.contains("continue=1"))
        let state = try #require(first.first { $0.hasPrefix("state[]=coder-cred:") })
        life.deployment.revokeAccessTokens()
        let second = try ask(["state[]=other:1", state])
        #expect(!second.contains("continue=1") && !second.contains { $0.hasPrefix("state[]") })
        let credential = try #require(second.first { $0.hasPrefix("credential=") })
        #expect(credential != first.first { $0.hasPrefix("credential=") })
        #expect(life.deployment.isValid(accessToken: String(credential.dropFirst(11))))
        #expect(life.refreshes.count == 1)
        // The same state once more, from a sibling that was refused with the old token: no refresh.
        let third = try ask([state])
        #expect(third.contains(credential))
        #expect(life.refreshes.count == 1)
      }
    }

    @Test func `Without authtype there is no state to bring back`() throws {
      try Life.with { life in
        let result = try life.run("get", input: attributes(life, "capability[]=state"))
        #expect(!result.stdout.contains("state") && !result.stdout.contains("continue"))
      }
    }
  }
}
