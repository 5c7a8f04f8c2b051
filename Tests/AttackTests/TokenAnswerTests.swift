import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What a deployment answers when it gives tokens or clients: nothing of it becomes another line of
/// what a caller reads, ends the program, or is kept by halves.
@Suite(.blocking) struct `An answer with tokens` {
  /// What would be read as more than it is, as JSON has it.
  private static let splitting = [
    #"x\nhost=evil.test\nquit=1"#, #"x\r\nX-Injected: yes"#, #"x\u0000y"#, #"x\u001b[2J"#, "x y",
    #"x\u2028y"#, "x;Path=/", #"x\"y"#, #"x\\y"#, "x\u{E9}",
  ].map { "x\($0)" }

  private static func signIn(
    _ desk: Desk, _ patch: String, at endpoint: DeploymentSimulator.Endpoint
  ) throws -> CommandResult {
    desk.deployment.inject(.mergePatch(patch), at: endpoint, times: 9)
    defer { desk.deployment.clearFaults() }
    return try desk.run(
      ["login", desk.url, "--method", "oauth"], environment: desk.browser())
  }

  /// Whatever is printed is what these formats consist of, and no more.
  private static func expectFormats(_ desk: Desk, _ what: String) throws {
    let keys: Set = [
      "capability[]", "authtype", "credential", "ephemeral", "username", "password_expiry_utc",
    ]
    for line in try desk.run(["get", desk.url]).lines {
      #expect(keys.contains(String(line.prefix { $0 != "=" })), "\(what): \(line.prefix(40))")
    }
    for (arguments, lines) in [
      (["token", desk.url], 1), (["header", desk.url, "--format", "lines"], 1),
      (["header", desk.url, "--format", "cookie"], 1),
    ] {
      let result = try desk.run(arguments)
      #expect(result.output.filter { $0 == 0x0A }.count <= lines, "\(what): \(arguments)")
      #expect(!result.output.contains { $0 != 0x0A && !(0x20...0x7E).contains($0) }, "\(what)")
    }
  }

  @Test func `puts no second line into what a caller reads`() throws {
    try Desk.with { desk in
      for text in Self.splitting {
        let plant = text.replacing("xx", with: desk.plant())
        let result = try Self.signIn(desk, #"{"access_token":"\#(plant)"}"#, at: .exchange)
        guard text.contains(";") else {
          expectLoginFailure(result, 76, text)
          #expect(try desk.sessions().isEmpty, "\(text)")
          continue
        }
        // A cookie's end is no end elsewhere, and a token may hold it.
        try Self.expectFormats(desk, text)
        #expect(try desk.run(["header", desk.url, "--format", "cookie"]).output.isEmpty)
        _ = try desk.run(["logout", "--all"])
      }
    }
  }

  @Test func `keeps no refresh token, client or name that would be more than one word`() throws {
    try Desk.with { desk in
      for text in Self.splitting where !text.contains(";") {
        let plant = text.replacing("xx", with: desk.plant())
        // The access token is good, so that the session is: it cannot be refreshed.
        let kept = try Self.signIn(desk, #"{"refresh_token":"\#(plant)"}"#, at: .exchange)
        #expect(kept.status == 0, "\(text): \(kept.stderr)")
        #expect(try desk.sessions().first?["refresh_token"] == nil, "\(text)")
        try Self.expectFormats(desk, text)
        #expect(try desk.run(["logout", desk.url]).status == 0)
        let client = try Self.signIn(desk, #"{"client_id":"\#(plant)"}"#, at: .registration)
        expectLoginFailure(client, 76, text)
        #expect(try desk.desktop.items().isEmpty, "\(text)")
      }
      // Another scheme would be another header; only Bearer is known.
      for type in [#"Bearer x\nHost: evil.test"#, "Bearer x", "Basic", "mac", ""] {
        let result = try Self.signIn(desk, #"{"token_type":"\#(type)"}"#, at: .exchange)
        #expect(result.status == 0, "\(type): \(result.stderr)")
        let header = try desk.run(["header", desk.url, "--format", "lines"])
        #expect(header.stdout.hasPrefix("Authorization: Bearer ") && header.lines.count == 1)
        #expect(try desk.run(["logout", desk.url]).status == 0)
      }
      for name in [#"mallory\nhost=evil.test"#, #"mallory\u0000"#, #"mallory\r"#] {
        let result = try Self.signIn(desk, #"{"username":"\#(name)"}"#, at: .account)
        #expect([0, 76].contains(result.status), "\(name): \(result.stderr)")
        try Self.expectFormats(desk, name)
        _ = try desk.run(["logout", "--all"])
      }
    }
  }

  @Test func `has no lifetime that overflows, nor an end in the past`() throws {
    let lifetimes = [
      "-1", "0", "1e30", #""3600""#, "3600.5", "null", #""soon""#, "9223372036854775808",
      "-9223372036854775808", "1e-400", "[]", "{}", "true",
    ]
    let expiries = [
      "null", #""1970-01-01T00:00:00Z""#, #""99999-01-01T00:00:00Z""#,
      #""2026-01-01T00:00:00+99:99""#, #""9999-12-31T23:59:60Z""#,
    ]
    let answers =
      lifetimes.map { #"{"expires_in":\#($0),"expiry":null}"# }
      + expiries.map { #"{"expires_in":null,"expiry":\#($0)}"# }
    try Desk.withSession { desk in
      for patch in answers {
        desk.deployment.inject(.mergePatch(patch), at: .refresh)
        let refreshed = try desk.run(["refresh", desk.url])
        #expect(refreshed.status == 0, "\(patch): \(refreshed.stderr)")
        let answer = try desk.run(["get", desk.url, "--no-refresh"])
        #expect(answer.status == 0, "\(patch): \(answer.stderr)")
        let end = answer["password_expiry_utc"].flatMap { Int64($0) }
        let now = Int64(Date().timeIntervalSince1970)
        #expect(end.map { $0 > now && $0 < now + 400_000_000 } ?? true, "\(patch)")
      }
    }
  }

  /// What is read has an end, is not unfolded without one, and is not descended into for ever.
  @Test(arguments: [
    DeploymentSimulator.Endpoint.metadata, .registration, .exchange,
  ])
  func `without an end ends the sign-in, and not the memory`(
    endpoint: DeploymentSimulator.Endpoint
  ) throws {
    let deep = String(repeating: "[", count: 100_000)
    let faults: [(String, DeploymentSimulator.Fault)] = [
      ("a body of 1 GiB", .hugeBody(mebibytes: 1024)),
      ("a body without a length", .hugeBody(mebibytes: 1024, declared: false)),
      ("a gzip bomb", .gzipBomb(mebibytes: 64)), ("headers without an end", .endlessHeaders),
      ("nesting", .response(ScriptedResponse(200, json: #"{"a":\#(deep)"#))),
      (
        "nested objects",
        .response(ScriptedResponse(200, json: String(repeating: #"{"a":"#, count: 100_000)))
      ),
      (
        "no UTF-8",
        .response(
          ScriptedResponse(200, body: Array(#"{"issuer":""#.utf8) + [0xFF, 0xFE, 0x22, 0x7D]))
      ),
      ("a byte order mark alone", .response(ScriptedResponse(200, body: [0xEF, 0xBB, 0xBF]))),
      (
        "one string without an end",
        .response(
          ScriptedResponse(200, json: #"{"issuer":"\#(String(repeating: "a", count: 900_000))"#))
      ),
    ]
    try Desk.with { desk in
      for (what, fault) in faults {
        desk.deployment.inject(fault, at: endpoint, times: 9)
        let result = try desk.run(
          "/bin/sh",
          [
            "-c", "ulimit -v 4000000; exec \"$0\" \"$@\"", desk.program, "login", desk.url,
            "--method", "oauth",
          ], environment: desk.browser())
        desk.deployment.clearFaults()
        #expect([75, 76].contains(result.status), "\(what): \(result.stderr)")
        #expect(!result.timedOut && result.signal == nil, "\(what)")
        #expect(try desk.desktop.items().isEmpty, "\(what)")
      }
    }
  }
}
