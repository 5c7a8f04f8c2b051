import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A login may tell of its progress before it fails in the documented way.
func expectLoginFailure(
  _ result: CommandResult, _ status: Int32, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(
    result.status == status, "\(what): \(result.stderr)", sourceLocation: sourceLocation)
  #expect(result.output.isEmpty, "\(what)", sourceLocation: sourceLocation)
  let lines = result.complaints.drop { !$0.hasPrefix("coder-cred: ") }
  #expect((1...2).contains(lines.count), "\(what): \(lines)", sourceLocation: sourceLocation)
  #expect(
    lines.first?.hasPrefix("coder-cred: error: ") == true, "\(what): \(lines)",
    sourceLocation: sourceLocation)
}

@Suite struct `A login that cannot be` {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A person who declines ends it with 77, and nothing is kept`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      let result = try desk.run(["login", desk.url], environment: desk.browser("--deny"))
      expectLoginFailure(result, 77)
      #expect(result.stderr.contains("denied"))
      #expect(try desk.items().isEmpty)
    }
  }

  @Test func `A person who declines to sign in again keeps the session there was`() throws {
    try Desk.with { desk in
      try desk.signIn()
      try desk.keepingTheKeyring("declining") {
        let result = try desk.run(["login", desk.url], environment: desk.browser("--deny"))
        expectLoginFailure(result, 77)
      }
      #expect(desk.deployment.isValid(accessToken: try desk.token()))
    }
  }

  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A provider that is off, or older than OAuth, ends it with 76`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      desk.deployment.setProvider(enabled: false)
      expectLoginFailure(try desk.run(["login", desk.url], environment: desk.browser()), 76)
      desk.deployment.change { ($0.providerEnabled, $0.oauthAbsent) = (true, true) }
      expectLoginFailure(try desk.run(["login", desk.url], environment: desk.browser()), 76)
      #expect(try desk.items().isEmpty)
    }
  }

  @Test(arguments: [DeploymentSimulator.Era.b, .c])
  func `Registration that is off ends it with 76 and the administrator's command`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      desk.deployment.setRegistration(enabled: false)
      let result = try desk.run(["login", desk.url], environment: desk.browser())
      expectLoginFailure(result, 76)
      #expect(result.complaints.last?.contains("coder oauth2-provider dcr enable") == true)
      // Metadata that still names the endpoint, as a cache may give.
      let named = #"{"registration_endpoint":"\#(desk.url)/oauth2/register"}"#
      desk.deployment.inject(.mergePatch(named), at: .metadata)
      let refused = try desk.run(["login", desk.url], environment: desk.browser())
      expectLoginFailure(refused, 76)
      #expect(refused.complaints.last?.contains("coder oauth2-provider dcr enable") == true)
      #expect(try desk.items().isEmpty)
    }
  }

  @Test func `A port that is taken ends it with 75 before anybody is asked`() throws {
    try Desk.with { desk in
      let result = try desk.run(
        ["login", desk.url, "--port", "\(desk.deployment.port)"], environment: desk.browser())
      expectLoginFailure(result, 75)
      #expect(result.stderr.contains("\(desk.deployment.port)"))
      #expect(desk.deployment.registeredClients.isEmpty)
    }
  }

  @Test(arguments: [["login"], ["login", "--no-browser"]])
  func `Without a browser the address is printed, and opening it by hand is enough`(
    arguments: [String]
  ) throws {
    try Desk.with { desk in
      let log = "\(desk.session.directory)/login"
      let login = try desk.start(arguments + [desk.url], log: log)
      var address: String?
      wait(for: "the address") {
        let said = FileManager.default.contents(atPath: log) ?? Data()
        let lines = String(decoding: said, as: UTF8.self).split(
          separator: "\n", omittingEmptySubsequences: false)
        // The last piece may still be on its way.
        address = lines.dropLast().first { $0.hasPrefix("  http://") }.map {
          String($0.dropFirst(2))
        }
        return address != nil
      }
      let url = try #require(address)
      #expect(url.hasPrefix("\(desk.url)/oauth2/authorize?"))
      let visit = try desk.deployment.browse(authorizationURL: url)
      #expect(visit.callbackStatus == 200)
      #expect(!desk.canary.sings(in: Array(visit.callbackPage.utf8)))
      #expect(login.waitForExit(timeoutSeconds: 10) == .status(0))
      #expect(desk.deployment.isValid(accessToken: try desk.token()))
    }
  }
}
