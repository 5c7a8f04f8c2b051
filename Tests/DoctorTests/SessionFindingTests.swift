import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What `doctor` says of a registration and of each session.
@Suite(.blocking) struct `doctor on sessions` {
  @Test func `names a client that was made by hand, and does not ask about it`() throws {
    try Desk.with { desk in
      let port = try LoopbackListener.freePort()
      let app = desk.deployment.addApplication(
        name: "by hand", redirectURIs: ["http://127.0.0.1:\(port)/callback"])
      desk.deployment.setRegistration(enabled: false)
      try desk.login("--client-id", app.id, "--port", "\(port)", input: app.secret + "\n")
      try desk.doctor().expect("client", "ok", saying: "\(desk.url): \(app.id), made by hand")
    }
  }

  @Test func `finds that nobody says whether the client is known, until somebody does`() throws {
    try Desk.withSession { desk in
      desk.deployment.inject(.status(503), at: .clientConfiguration, times: 9)
      let report = try desk.doctor()
      try report.expect(
        "client", "warning", saying: "does not say whether it knows this machine's",
        fix: "coder-cred doctor")
      #expect(report.result.status == 0)
      desk.deployment.clearFaults()
      try desk.doctor().expect("client", "ok", saying: "knows this machine's")
      try desk.token("--min-ttl", "31536000")
    }
  }

  @Test func `finds a session that the keyring has lost, until somebody signs in`() throws {
    try Desk.withSession { desk in
      try desk.desktop.overwrite(desk.desktop.item(), with: "")
      let report = try desk.doctor()
      let line = try report.expect(
        "session", "failure", saying: "alice at \(desk.url): the keyring has lost it")
      #expect(line.fix == "coder-cred login \(desk.url) --account alice")
      #expect(report.result.status == 1)
      let mended = try desk.doctor(after: line.fix ?? "", environment: desk.browser())
      try mended.expect("session", "ok", saying: "its token works")
    }
  }

  @Test func `finds a session that cannot be read, until it is removed by force`() throws {
    try Desk.withSession { desk in
      try desk.desktop.overwrite(desk.desktop.item(), with: "{}")
      let line = try desk.doctor().expect("session", "failure", saying: "not ours to use")
      let command = try #require(line.fix?.split(separator: ",").first)
      let mended = try desk.doctor(after: String(command))
      #expect(mended["session"].isEmpty)
      try mended.expect("server", "warning", saying: "nobody is signed in")
    }
  }

  @Test func `finds a session that is locked in another keyring, until that is unlocked`() throws {
    try Desk.withSession { desk in
      let other = try desk.desktop.makeCollection("Other")
      try desk.desktop.move(desk.desktop.item().label, to: other)
      try desk.desktop.lock(other)
      let report = try desk.doctor()
      try report.expect("keyring", "ok")
      try report.expect("session", "failure", saying: "“Other” is locked", fix: "unlock it")
      #expect(report.result.status == 69)
      try desk.desktop.unlock(other)
      try desk.doctor().expect("session", "ok", saying: "its token works")
    }
  }

  @Test
  func `finds another keyring that was never unlocked, and does not say that nobody is signed in`()
    throws
  {
    try Desk.withSession { desk in
      let other = try desk.desktop.makeCollection("Other")
      try desk.desktop.move(desk.desktop.item().label, to: other)
      // The log-in opens the default keyring alone; of the other not even names are known.
      try desk.desktop.restartKeyring(unlock: true)
      let report = try desk.doctor()
      try report.expect("keyring", "ok")
      try report.expect("session", "failure", saying: "“Other” is locked", fix: "unlock it")
      #expect(report["server"].isEmpty && report.result.status == 69, "\(report.lines)")
      try desk.desktop.unlock(other)
      let unlocked = try desk.doctor()
      try unlocked.expect("server", "ok", saying: desk.url)
      try unlocked.expect("session", "ok", saying: "its token works")
    }
  }

  @Test func `finds a token that the deployment refuses before its time, until it is renewed`()
    throws
  {
    try Desk.withSession { desk in
      let token = try desk.token()
      desk.deployment.revokeAccessTokens()
      let report = try desk.doctor()
      let line = try report.expect(
        "session", "warning",
        saying: "\(desk.url) refuses its token; the next use tries to renew it")
      #expect(line.fix == "coder-cred refresh \(desk.url) --account alice")
      #expect(report.result.status == 0 && desk.deployment.refreshes.isEmpty)
      // As it says: nobody gets the dead one.
      #expect(try desk.token() != token)
      desk.deployment.revokeAccessTokens()
      try desk.forgetFailures()
      _ = try desk.doctor()
      try desk.doctor(after: line.fix ?? "").expect("session", "ok", saying: "its token works")
    }
  }

  @Test func `finds a pasted token that the deployment refuses, until there is another`() throws {
    try Desk.with { desk in
      let secret = "\(desk.directory)/home/token"
      desk.expectSecret(in: secret)
      let login = "coder-cred login \(desk.url) --account alice --method token <\(secret)"
      func paste() throws {
        try desk.write(desk.deployment.session(user: "alice") + "\n", to: secret)
        try desk.doctor(after: login).expect("session", "ok", saying: "its token works")
      }
      try paste()
      desk.deployment.inject(
        .status(401, body: "{}", headers: ["Content-Type": "application/json"]), at: .account)
      let report = try desk.doctor()
      try report.expect(
        "session", "failure", saying: "\(desk.url) does not accept its token",
        fix: "coder-cred login \(desk.url) --account alice")
      #expect(report.result.status == 1)
      try paste()
    }
  }

  @Test func `finds a token that may not ask who it is, and a deployment that does not say`() throws
  {
    try Desk.withSession { desk in
      desk.deployment.inject(.status(403, body: "{}"), at: .account)
      let report = try desk.doctor()
      try report.expect(
        "session", "warning", saying: "may not ask who it is (HTTP 403)",
        fix: "coder-cred login \(desk.url) --account alice")
      #expect(report.result.status == 0)
      desk.deployment.inject(.htmlPage, at: .account)
      let portal = try desk.doctor()
      try portal.expect("session", "failure", fix: "coder-cred status --check \(desk.url)")
      #expect(portal.result.status == 75)
      try desk.doctor().expect("session", "ok", saying: "its token works")
    }
  }
}
