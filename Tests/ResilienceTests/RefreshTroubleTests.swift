import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A way for a refresh to go wrong without a verdict.
struct Trouble: Sendable, CustomTestStringConvertible {
  let name: String
  let fault: DeploymentSimulator.Fault
  /// Whether the server still holds the refresh token for good afterwards.
  var afterActing = false
  var isSlow = false
  var status: Int32 = 75
  var testDescription: String { name }

  init(
    _ name: String, _ fault: DeploymentSimulator.Fault, isSlow: Bool = false, status: Int32 = 75
  ) {
    (self.name, self.fault, self.isSlow, self.status) = (name, fault, isSlow, status)
  }

  static let all = [
    Trouble("reset", .drop), Trouble("garbage", .garbage),
    Trouble("404", .status(404, body: #"{"message":"Route not found."}"#)),
    Trouble("403", .status(403, body: #"{"message":"experiment"}"#)),
    Trouble("408", .status(408)), Trouble("500", .status(500)),
    Trouble("502", .status(502, body: "<html>Bad gateway</html>")), Trouble("503", .status(503)),
    Trouble("400 without a verdict", .status(400, body: "<html>blocked</html>")),
    Trouble("401 without a verdict", .status(401)),
    Trouble(
      "429", .status(429, body: #"{"error":"temporarily_unavailable"}"#)),
    Trouble("invalid JSON", .invalidJSON), Trouble("a page", .htmlPage),
    Trouble("an empty body", .emptyBody),
    Trouble("a gzip bomb", .gzipBomb(mebibytes: 64), isSlow: true),
    Trouble("a huge body", .hugeBody(mebibytes: 64), isSlow: true),
    Trouble("endless headers", .endlessHeaders, isSlow: true),
    Trouble("a redirect elsewhere", .redirect(to: "http://192.0.2.1/oauth2/tokens")),
    Trouble("a redirect of a POST", .redirect(to: "http://192.0.2.1/", status: 307)),
    Trouble("a verdict under 200", .oauthErrorIn200("invalid_grant"), status: 76),
    Trouble("nothing at all", .delay(milliseconds: 300_000), isSlow: true),
  ]
}

@Suite(.blocking) struct `A refresh in trouble` {
  /// What of the session must not be lost; the mark of a refresh may come and go.
  private func secrets(of desk: Desk) throws -> [String?] {
    let session = try desk.desktop.item()
    return ["access_token", "refresh_token", "client_id", "account"].map { session[$0] }
  }

  @Test(arguments: Trouble.all)
  func `Trouble keeps the session, and a token that still lives is printed meanwhile`(
    trouble: Trouble
  ) throws {
    try Desk.withSession { desk in
      try desk.age()
      desk.deployment.inject(trouble.fault, at: .refresh, times: 100)
      let living = try desk.run(["token", desk.url])
      #expect(living.status == 0, "\(living.stderr)")
      #expect(
        desk.deployment.isValid(accessToken: living.stdout.trimmingCharacters(in: ["\n"])))
      #expect(
        living.stderr.contains("will be tried again") || living.stderr.contains("goes on waiting"))
      #expect(living.stderr.split(separator: "\n").count == 1)
      desk.deployment.clearFaults()
      desk.deployment.releaseHeld()
      try desk.waitForRefreshes()
      try desk.forgetFailures()

      try desk.expire()
      desk.deployment.inject(trouble.fault, at: .refresh, times: 100)
      let before = try secrets(of: desk)
      let start = ContinuousClock.now
      let dead = try desk.run(["token", desk.url])
      expectFailure(dead, trouble.status, trouble.name)
      let isSlow = trouble.isSlow || start.duration(to: .now) > .seconds(2)
      try desk.waitForRefreshes()
      #expect(try secrets(of: desk) == before)
      desk.deployment.clearFaults()
      desk.deployment.releaseHeld()
      // One failure makes nobody wait, but for one that took two seconds.
      if isSlow { try desk.forgetFailures() }
      try desk.token()
    }
  }

  @Test func `A lost or damaged response ends the session once, and says why`() throws {
    let faults: [DeploymentSimulator.Fault] = [.drop, .cut, .emptyBody]
    for fault in faults {
      try Desk.withSession { desk in
        try desk.expire()
        desk.deployment.inject(fault, at: .refresh, afterActing: true)
        #expect(try desk.run(["token", desk.url]).status == 75)
        // A failure that took two seconds makes the next one wait.
        try desk.forgetFailures()
        let next = try desk.run(["token", desk.url])
        #expect(next.status == 1)
        #expect(next.stderr.contains("an interrupted refresh ended it"))
        desk.deployment.clearLog()
        #expect(try desk.run(["token", desk.url]).status == 1)
        #expect(desk.deployment.requests.isEmpty)
      }
    }
  }

  @Test func `A wrong content type and a dripping body do not spoil a good response`() throws {
    try Desk.withSession { desk in
      for fault in [
        DeploymentSimulator.Fault.contentType("text/html"), .drip(millisecondsPerByte: 2),
      ] {
        try desk.age()
        desk.deployment.inject(fault, at: .refresh)
        // A person's command waits as long as it takes.
        #expect(try desk.run(["refresh", desk.url]).status == 0)
        try desk.token()
        #expect(desk.deployment.refreshes.count == 1)
      }
    }
  }

  @Test(arguments: Trouble.all.filter { !$0.isSlow })
  func `Trouble in the exchange says so, and the next sign-in works`(trouble: Trouble) throws {
    try Desk.withSession { desk in
      // An exchange is tried again while the code lives.
      desk.deployment.inject(trouble.fault, at: .exchange, times: 99)
      let result = try desk.run(["login", desk.url], environment: desk.browser())
      desk.deployment.clearFaults()
      #expect([75, 76].contains(result.status), "\(result.stderr)")
      // The former session is as it was.
      try desk.token()
      try desk.login()
      try desk.token()
    }
  }

  @Test func `An outage costs the server a handful of requests`() throws {
    try Desk.withSession { desk in
      for isHanging in [false, true] {
        try desk.expire()
        desk.deployment.inject(
          isHanging ? .delay(milliseconds: 300_000) : .status(503), at: .refresh, times: 1000)
        if isHanging { try desk.forgetFailures() }
        let start = ContinuousClock.now
        #expect(try desk.run(["token", desk.url]).status == 75)
        try desk.waitForRefreshes()
        for _ in 0..<50 { #expect(try desk.run(["token", desk.url]).status == 75) }
        // The pauses between tries grow; a slow machine has time for more of them.
        let extra = Int(start.duration(to: .now) / .seconds(15))
        #expect(desk.deployment.refreshes.count <= 6 + extra)
        desk.deployment.clearFaults()
        desk.deployment.releaseHeld()
        // A person who asks for it does not wait.
        #expect(try desk.run(["refresh", desk.url]).status == 0)
        try desk.token()
      }
    }
  }

  @Test func `An outage is no matter while the access token lives`() throws {
    try Desk.withSession { desk in
      try desk.age()
      desk.deployment.stop()
      let start = ContinuousClock.now
      var warnings = 0
      for _ in 0..<20 {
        let result = try desk.run(["token", desk.url])
        #expect(result.status == 0)
        if !result.stderr.isEmpty { warnings += 1 }
      }
      // Two seconds without one for each.
      let most = 2 + Int(start.duration(to: .now) / .seconds(2))
      #expect((1...most).contains(warnings))
    }
  }

  @Test func `Retry-After is honoured by get, and overruled by a person`() throws {
    try Desk.withSession { desk in
      try desk.expire()
      desk.deployment.inject(.status(429, headers: ["Retry-After": "120"]), at: .refresh)
      #expect(try desk.run(["token", desk.url]).status == 75)
      let next = try desk.run(["token", desk.url])
      #expect(next.status == 75)
      #expect(next.stderr.contains("coder-cred refresh \(desk.url)"))
      #expect(desk.deployment.refreshes.count == 1)
      #expect(try desk.run(["refresh", desk.url]).status == 0)
      try desk.token()
    }
  }

  @Test func `A hostile history is no history`() throws {
    try Desk.withSession { desk in
      try desk.expire()
      desk.deployment.inject(.status(503), at: .refresh, times: 2)
      for _ in 0..<2 { #expect(try desk.run(["token", desk.url]).status == 75) }
      let file = try #require(try desk.runtimeFiles(".history").first)
      for text in ["", "2 9 9", "2 5 0 9223372036854775807 0 0 0\n", "\0\u{1b}[2J\n"] {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        desk.deployment.inject(.status(503), at: .refresh)
        #expect(try desk.run(["token", desk.url]).status == 75)
      }
      // One is left if a failure took two seconds, after which the next one waits.
      desk.deployment.clearFaults()
      try FileManager.default.removeItem(atPath: file)
      try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "/dev/zero")
      try desk.token()
    }
  }
}
