import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `A login that cannot be` {
  @Test(arguments: DeploymentSimulator.Era.allCases)
  func `A person who declines ends it with 77, and nothing is kept`(
    era: DeploymentSimulator.Era
  ) throws {
    try Desk.with(.unlocked, .init(era: era)) { desk in
      let result = try desk.run(["login", desk.url], environment: desk.browser(["--deny"]))
      expectLoginFailure(result, 77)
      #expect(result.stderr.contains("denied"))
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `A person who declines to sign in again keeps the session there was`() throws {
    try Desk.with { desk in
      try desk.login()
      try desk.desktop.expectUnchangedItems("declining") {
        let result = try desk.run(["login", desk.url], environment: desk.browser(["--deny"]))
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
      #expect(try desk.desktop.items().isEmpty)
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
      #expect(result.messages.last?.contains("coder oauth2-provider dcr enable") == true)
      // Metadata that still names the endpoint, as a cache may give.
      let named = #"{"registration_endpoint":"\#(desk.url)/oauth2/register"}"#
      desk.deployment.inject(.mergePatch(named), at: .metadata)
      let refused = try desk.run(["login", desk.url], environment: desk.browser())
      expectLoginFailure(refused, 76)
      #expect(refused.messages.last?.contains("coder oauth2-provider dcr enable") == true)
      #expect(try desk.desktop.items().isEmpty)
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

  @Test(arguments: [false, true])
  func `Without a browser the address is printed, and opening it by hand is enough`(
    noBrowser: Bool
  ) throws {
    try Desk.with { desk in
      let login = try WaitingLogin(desk, noBrowser: noBrowser)
      let url = try login.address()
      #expect(url.hasPrefix("\(desk.url)/oauth2/authorize?"))
      let visit = try desk.deployment.browse(authorizationURL: url)
      #expect(visit.callbackStatus == 200)
      #expect(!desk.canary.isIn(visit.callbackPage))
      login.expectEnd(0)
      #expect(desk.deployment.isValid(accessToken: try desk.token()))
    }
  }
}
