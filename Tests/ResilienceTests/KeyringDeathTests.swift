import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `A keyring that dies` {
  @Test func `at any moment loses no session that was saved`() throws {
    var settings = DeploymentSimulator.Settings()
    settings.latency = 10
    try Desk.withSession(settings) { desk in
      for _ in 0..<rounds(4, full: 50) {
        try desk.age()
        let pending = Background { try desk.run(["token", desk.url]) }
        usleep(useconds_t.random(in: 0...300_000))
        desk.desktop.stopKeyring()
        usleep(useconds_t.random(in: 0...500_000))
        try desk.desktop.restartKeyring()
        let result = try pending.value()
        #expect([0, 69].contains(result.status), "\(result.status): \(result.stderr)")
        if result.status == 69 { #expect(!result.stderr.isEmpty) }
        let next = try desk.run(["token", desk.url])
        if next.status != 0 {
          Issue.record("lost: \(next.stderr) after \(result.status): \(result.stderr)")
          try desk.login()
        }
      }
    }
  }

  @Test
  func `after the mark does not keep the token from being printed, nor from being saved later`()
    throws
  {
    try Desk.withSession { desk in
      try desk.age()
      desk.deployment.inject(.hold, at: .refresh)
      let pending = Background { try desk.run(["token", desk.url]) }
      #expect(desk.deployment.wait { !$0.tokenRequests().isEmpty })
      desk.desktop.stopKeyring()
      desk.deployment.releaseHeld()
      let result = try pending.value()
      #expect(result.status == 0)
      // On a machine that is too slow the caller's ten seconds are over first.
      let isLate = result.stderr.contains("goes on waiting")
      #expect(isLate || result.stderr.contains("refreshed, but not saved"))
      let token = result.stdout.trimmingCharacters(in: ["\n"])
      #expect(isLate || desk.deployment.isValid(accessToken: token))
      try desk.desktop.restartKeyring()
      if isLate { try desk.waitForRefreshes(timeoutSeconds: 130) }
      desk.deployment.clearLog()
      let next = try desk.token()
      #expect(isLate || next == token)
      #expect(desk.deployment.refreshes.isEmpty)
    }
  }

  @Test func `and returns in time keeps what was refreshed`() throws {
    try Desk.withSession { desk in
      try desk.age()
      desk.deployment.inject(.hold, at: .refresh)
      let pending = Background { try desk.run(["token", desk.url]) }
      #expect(desk.deployment.wait { !$0.tokenRequests().isEmpty })
      desk.desktop.stopKeyring()
      let start = ContinuousClock.now
      desk.deployment.releaseHeld()
      usleep(300_000)
      try desk.desktop.restartKeyring()
      let isInTime = start.duration(to: .now) < .seconds(1)
      let result = try pending.value()
      #expect(result.status == 0)
      #expect(result.stderr.isEmpty || !isInTime, "\(result.stderr)")
      desk.deployment.clearLog()
      try desk.token()
      #expect(desk.deployment.refreshes.isEmpty)
    }
  }
}
