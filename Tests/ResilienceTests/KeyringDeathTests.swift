import DeploymentSimulator
import Foundation
import TestDesk
import Testing

extension ResilienceTests {
  @Suite struct KeyringDeathTests {
    @Test func `A keyring that dies at any moment loses no session that was saved`() throws {
      var settings = DeploymentSimulator.Settings()
      settings.latency = 10
      try Life.with(settings) { life in
        var statuses: [Int32: Int] = [:]
        var ended = 0
        let count = howOften(4, full: 50)
        for _ in 0..<count {
          try life.age()
          let answer = Gathered<CommandResult>()
          let group = DispatchGroup()
          group.enter()
          Thread.detachNewThread {
            defer { group.leave() }
            if let result = try? life.session.run(
              life.program, ["token", life.url], timeoutSeconds: 60)
            {
              answer.add(result)
            }
          }
          usleep(useconds_t.random(in: 0...300_000))
          life.session.stopKeyring()
          usleep(useconds_t.random(in: 0...500_000))
          try life.session.restartKeyring()
          group.wait()
          let result = try #require(answer.all.first)
          statuses[result.status, default: 0] += 1
          #expect([0, 69].contains(result.status), "\(result.status): \(result.stderr)")
          if result.status == 69 { #expect(!result.stderr.isEmpty) }
          let next = try life.run("token", life.url)
          if next.status != 0 {
            ended += 1
            Issue.record("lost: \(next.stderr) after \(result.status): \(result.stderr)")
            try life.signIn()
          }
        }
        tell("keyring killed: \(count) rounds, statuses \(statuses), sessions lost \(ended)")
      }
    }

    @Test func `A keyring that dies after the mark does not keep the token from being answered`()
      throws
    {
      try Life.with { life in
        try life.age()
        life.deployment.inject(.hold, at: .refresh)
        let answer = Gathered<CommandResult>()
        let group = DispatchGroup()
        group.enter()
        Thread.detachNewThread {
          defer { group.leave() }
          if let result = try? life.session.run(
            life.program, ["token", life.url], timeoutSeconds: 60)
          {
            answer.add(result)
          }
        }
        #expect(life.deployment.wait { !$0.tokenRequests().isEmpty })
        life.session.stopKeyring()
        life.deployment.releaseHeld()
        group.wait()
        let result = try #require(answer.all.first)
        #expect(result.status == 0)
        #expect(result.stderr.contains("refreshed, but not saved"))
        let token = result.stdout.trimmingCharacters(in: ["\n"])
        #expect(life.deployment.isValid(accessToken: token))
        try life.session.restartKeyring()
        let next = try life.run("token", life.url)
        #expect(next.status == 1)
        #expect(next.stderr.contains("an interrupted refresh ended it"))
      }
    }

    @Test func `A keyring that returns in time keeps what was refreshed`() throws {
      try Life.with { life in
        try life.age()
        life.deployment.inject(.hold, at: .refresh)
        let answer = Gathered<CommandResult>()
        let group = DispatchGroup()
        group.enter()
        Thread.detachNewThread {
          defer { group.leave() }
          if let result = try? life.session.run(
            life.program, ["token", life.url], timeoutSeconds: 60)
          {
            answer.add(result)
          }
        }
        #expect(life.deployment.wait { !$0.tokenRequests().isEmpty })
        life.session.stopKeyring()
        life.deployment.releaseHeld()
        usleep(300_000)
        try life.session.restartKeyring()
        group.wait()
        let result = try #require(answer.all.first)
        #expect(result.status == 0)
        #expect(result.stderr.isEmpty, "\(result.stderr)")
        life.deployment.clearLog()
        try life.expectToken()
        #expect(life.refreshes.isEmpty)
      }
    }
  }
}
