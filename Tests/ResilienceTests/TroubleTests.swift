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

extension ResilienceTests {
  @Suite struct TroubleTests {
    @Test(arguments: Trouble.all)
    func `Trouble keeps the session, and a living token is answered meanwhile`(
      trouble: Trouble
    ) throws {
      try Life.with { life in
        try life.age()
        life.deployment.inject(trouble.fault, at: .refresh, times: 100)
        let living = try life.run("token", life.url)
        #expect(living.status == 0, "\(living.stderr)")
        #expect(
          life.deployment.isValid(accessToken: living.stdout.trimmingCharacters(in: ["\n"])))
        #expect(living.stderr.contains("will be tried again"))
        #expect(living.stderr.split(separator: "\n").count == 1)
        life.deployment.clearFaults()
        life.deployment.releaseHeld()
        try life.forgetFailures()

        try life.expire()
        life.deployment.inject(trouble.fault, at: .refresh, times: 100)
        let took = try seconds {
          let dead = try life.run("token", life.url)
          #expect(dead.status == trouble.status, "\(dead.stderr)")
          #expect(dead.output.isEmpty)
          #expect((1...2).contains(dead.stderr.split(separator: "\n").count))
        }
        #expect(took < 10)
        life.deployment.clearFaults()
        life.deployment.releaseHeld()
        if trouble.isSlow { try life.forgetFailures() }
        // A hiccup costs nobody a wait.
        try life.expectToken()
      }
    }

    @Test func `A lost or damaged answer ends the session once, and says why`() throws {
      let faults: [DeploymentSimulator.Fault] = [.drop, .cut, .truncatedJSON]
      for fault in faults {
        try Life.with { life in
          try life.expire()
          life.deployment.inject(fault, at: .refresh, afterActing: true)
          #expect(try life.run("token", life.url).status == 75)
          let next = try life.run("token", life.url)
          #expect(next.status == 1)
          #expect(next.stderr.contains("an interrupted refresh ended it"))
          life.deployment.clearLog()
          #expect(try life.run("token", life.url).status == 1)
          #expect(life.deployment.requests.isEmpty)
        }
      }
    }

    @Test func `A wrong content type and a dripping body do not spoil a good answer`() throws {
      try Life.with { life in
        for fault in [
          DeploymentSimulator.Fault.contentType("text/html"), .drip(millisecondsPerByte: 2),
        ] {
          try life.age()
          life.deployment.inject(fault, at: .refresh)
          try life.expectToken()
          #expect(life.refreshes.count == 1)
        }
      }
    }

    @Test func `Trouble in the exchange says so, and the next sign-in works`() throws {
      try Life.with { life in
        let simulator = try Products.executable("deployment-simulator")
        let browser = ["BROWSER": "\(simulator) browse %s"]
        for trouble in Trouble.all where !trouble.isSlow {
          life.deployment.inject(trouble.fault, at: .exchange)
          let result = try life.run("login", life.url, environment: browser)
          #expect([75, 76].contains(result.status), "\(trouble.name): \(result.stderr)")
          // The former session is as it was.
          try life.expectToken()
        }
        try life.signIn()
        try life.expectToken()
      }
    }

    @Test func `An outage costs the server a handful of requests, and callers milliseconds`() throws
    {
      try Life.with { life in
        for isHanging in [false, true] {
          try life.expire()
          life.deployment.inject(
            isHanging ? .delay(milliseconds: 300_000) : .status(503), at: .refresh, times: 1000)
          if isHanging { try life.forgetFailures() }
          #expect(try life.run("token", life.url).status == 75)
          var times: [Double] = []
          for _ in 0..<50 {
            let before = life.refreshes.count
            let took = try seconds {
              let result = try life.run("token", life.url)
              #expect(result.status == 75)
            }
            // Whoever asks the server has to wait for it.
            if life.refreshes.count == before { times.append(took) }
          }
          times.sort()
          let (median, slowest) = (times[times.count / 2], times[times.count - 1])
          tell("outage: \(life.refreshes.count) requests in 51 gets; the others took \(median) s")
          tell("outage: the slowest of them took \(slowest) s")
          #expect(life.refreshes.count <= 6)
          // A machine that builds meanwhile takes its time; idle, it takes 30 ms.
          #expect(median < (isFull ? 0.1 : 0.5))
          life.deployment.clearFaults()
          life.deployment.releaseHeld()
          // A person who asks for it does not wait.
          #expect(try life.run("refresh", life.url).status == 0)
          try life.expectToken()
        }
      }
    }

    @Test func `An outage is no matter while the access token lives`() throws {
      try Life.with { life in
        try life.age()
        life.deployment.stop()
        var warnings = 0
        for _ in 0..<20 {
          let result = try life.run("token", life.url)
          #expect(result.status == 0)
          if !result.stderr.isEmpty { warnings += 1 }
        }
        #expect((1...5).contains(warnings))
      }
    }

    @Test func `Retry-After is honoured by get, and overruled by a person`() throws {
      try Life.with { life in
        try life.expire()
        life.deployment.inject(.status(429, headers: ["Retry-After": "120"]), at: .refresh)
        #expect(try life.run("token", life.url).status == 75)
        let next = try life.run("token", life.url)
        #expect(next.status == 75)
        #expect(next.stderr.contains("coder-cred refresh \(life.url)"))
        #expect(life.refreshes.count == 1)
        #expect(try life.run("refresh", life.url).status == 0)
        try life.expectToken()
      }
    }

    @Test func `A hostile history is no history`() throws {
      try Life.with { life in
        try life.expire()
        life.deployment.inject(.status(503), at: .refresh, times: 2)
        for _ in 0..<2 { #expect(try life.run("token", life.url).status == 75) }
        let file = try #require(try life.runtimeFiles(".history").first)
        for text in ["", "1 9 9", "1 5 0 9223372036854775807 0\n", "\0\u{1b}[2J\n"] {
          try Data(text.utf8).write(to: URL(fileURLWithPath: file))
          life.deployment.inject(.status(503), at: .refresh)
          #expect(try life.run("token", life.url).status == 75)
        }
        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: "/dev/zero")
        try life.expectToken()
      }
    }
  }
}
