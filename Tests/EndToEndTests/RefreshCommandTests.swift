import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `refresh` {
  @Test func `Refresh brings a new token now, for a URL, for the only one, and for all`() throws {
    try Desk.withSession { desk in
      var tokens = [try desk.token()]
      for arguments in [["refresh", desk.url], ["refresh"], ["refresh", "--all"]] {
        let result = try desk.run(arguments)
        #expect(result.status == 0, "\(result.stderr)")
        #expect(result.output.isEmpty)
        tokens.append(try desk.token())
      }
      #expect(Set(tokens).count == 4)
      #expect(try desk.run(["refresh", "--due"]).status == 0)
      #expect(desk.deployment.refreshes.count == 3)
      #expect(try desk.run(["refresh", desk.url, "--all"]).status == 64)
      #expect(try desk.run(["refresh", "https://other.example"]).status == 1)
    }
  }

  @Test func `Of twenty deployments, those that are due are refreshed`() throws {
    try Desk.withSession { desk in
      var others: [DeploymentSimulator] = []
      defer { others.forEach { $0.stop() } }
      for index in 0..<19 {
        var settings = DeploymentSimulator.Settings()
        settings.accessTokenLifetime = index < 7 ? 1_200 : 86_400
        let other = try desk.anotherDeployment(settings)
        others.append(other)
        try desk.login(to: other.url)
        other.change { $0.accessTokenLifetime = 86_400 }
        other.clearLog()
      }
      let result = try desk.run(["refresh", "--due"])
      #expect(result.status == 0, "\(result.stderr)")
      #expect(result.stderr.split(separator: "\n").count == 7)
      for (index, other) in others.enumerated() {
        #expect(other.requests.count == (index < 7 ? 1 : 0))
      }
      #expect(desk.deployment.requests.isEmpty)
      let again = try desk.run(["refresh", "--due"])
      #expect(again.status == 0 && again.stderr.isEmpty)
    }
  }

  @Test func `One deployment in trouble does not keep the others from their refresh`() throws {
    try Desk.withSession { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      try desk.login(to: other.url)
      desk.deployment.inject(.status(503), at: .refresh, times: 10)
      other.clearLog()
      let result = try desk.run(["refresh", "--all"])
      #expect(result.status == 75)
      #expect(result.stderr.contains("HTTP 503"))
      #expect(other.requests.tokenRequests().count == 1)
      // A verdict comes before a trouble.
      other.revokeGrant()
      #expect(try desk.run(["refresh", "--all"]).status == 1)
      // What has ended is not due.
      try desk.forgetFailures()
      desk.deployment.clearFaults()
      #expect(try desk.run(["refresh", "--due"]).status == 0)
    }
  }

  @Test func `A locked keyring is said to be locked`() throws {
    try Desk.withSession { desk in
      try desk.desktop.lock()
      let result = try desk.run(["refresh", "--due"])
      #expect(result.status == 69)
      #expect(result.stderr.contains("locked"))
    }
  }
}
