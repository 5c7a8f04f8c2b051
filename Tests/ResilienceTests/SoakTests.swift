import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Everything at once, for as many seconds as `CODER_CRED_SOAK_SECONDS` says.
@Suite(.blocking) struct `A soak` {
  private static let seconds =
    ProcessInfo.processInfo.environment["CODER_CRED_SOAK_SECONDS"].flatMap(Double.init) ?? 20
  private static let isLong = seconds >= 120

  @Test func `of processes at deployments that fail loses no session and leaves nothing`() throws {
    try Desk.with { desk in
      let soak = try Soak(desk, deployments: Self.isLong ? 50 : 8)
      defer { soak.stop() }
      try soak.signIn()
      try soak.expectQuiet()
      let memory = try soak.memoryOfRefresh()
      let began = ContinuousClock.now
      let workers = try soak.run(workers: Self.isLong ? 20 : 8, seconds: Self.seconds)
      let worked = ContinuousClock.now - began
      try soak.expectQuiet()
      try desk.forgetFailures()

      for target in soak.deployments where target.hasSession == true {
        let result = try desk.run(["token", target.url, "--min-ttl", "31536000"])
        let isGood = target.deployment.isValid(accessToken: result.lines.first ?? "")
        if result.status != 0 || !isGood {
          soak.tally.noteLoss("\(target.url) in the end: \(result.stderr)")
        }
      }
      try soak.signIn()
      let grown = Double(try soak.memoryOfRefresh()) / Double(memory)
      #expect(grown < 1.15, "a refresh needs \(grown) times the memory of before")

      for var worker in workers { try worker.finish() }
      let out = try desk.run(["logout", "--all"])
      #expect(out.status == 0, "\(out.stderr)")
      #expect(try desk.desktop.items().isEmpty)
      // What could not be revoked, because just that had trouble.
      let unrevoked = soak.deployments.count { $0.deployment.liveTokenPairs > 0 }
      try soak.expectQuiet()
      // Locks are files that stay, and so does what was learned of failures: for each session.
      let left = soak.files.filter { $0.hasPrefix("run/coder-cred/") }
      #expect(left.allSatisfy { Self.stays($0) }, "\(left.filter { !Self.stays($0) })")
      #expect(left.count <= 6 * soak.deployments.count)
      print(
        """
        Soak: \(worked) with \(soak.deployments.count) deployments, \(workers.count) processes at a \
        time and \(soak.outages.count) deaths of the keyring; memory \(grown) times that of before; \
        \(unrevoked) deployments still have a grant
        \(soak.tally.report)
        """)
      #expect(soak.tally.losses == 0)
    }
  }

  private static func stays(_ file: String) -> Bool {
    ["lock", "history", "login"].contains { file.hasSuffix($0) }
  }
}
