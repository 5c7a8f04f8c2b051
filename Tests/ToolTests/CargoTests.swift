import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// cargo's protocol for credential providers, line by line.
@Suite(.blocking) struct `cargo's credential provider` {
  private func provider(_ desk: Desk, _ lines: [String]) throws -> [[String: Any]] {
    let result = try desk.run(
      "\(desk.directory)/bin/cargo-credential-coder-cred", ["--cargo-plugin"],
      input: lines.map { $0 + "\n" }.joined())
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    let answers = try result.lines.map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(answers.first?["v"] as? [Int] == [1])
    return Array(answers.dropFirst())
  }

  private func request(_ kind: String, _ url: String, _ more: String = "") -> String {
    #"{"v":1,"registry":{"index-url":"\#(url)","name":"r","headers":[]},"kind":"\#(kind)"\#(more),"args":[]}"#
  }

  @Test func `gives a deployment's token as the whole field, until it expires`() throws {
    try Desk.withSession { desk in
      _ = try desk.installNames()
      let token = try desk.token()
      let expiry = try #require(
        desk.desktop.item(["kind": "session"]).payload["expires_at"] as? Int)
      let url = "sparse+\(desk.url)/index/"
      let answers = try provider(
        desk,
        ["read", "publish", "yank", "unyank", "owners", "later"].map {
          request("get", url, ",\"operation\":\"\($0)\"")
        })
      #expect(answers.count == 6)
      for answer in answers {
        let ok = try #require(answer["Ok"] as? [String: Any])
        #expect(ok["kind"] as? String == "get" && ok["token"] as? String == "Bearer \(token)")
        #expect(ok["cache"] as? String == "expires" && ok["expiration"] as? Int == expiry)
        #expect(ok["operation_independent"] as? Bool == true)
      }
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test func `keeps what cargo logs in with, and takes it away again`() throws {
    try Desk.with { desk in
      _ = try desk.installNames()
      let url = "sparse+https://crates.example/index/"
      let token = desk.plant(" x")
      let answers = try provider(
        desk,
        [
          request("get", url, #","operation":"read""#), request("logout", url),
          request("login", url, #","token":"\#(token)""#), request("get", url),
          request("get", "sparse+https://crates.example/other/"),
          request("get", "sparse+https://x.crates.example/index/"), request("logout", url),
          request("get", url),
        ])
      func kind(_ index: Int) -> String? {
        (answers[index]["Err"] as? [String: Any])?["kind"] as? String
      }
      #expect(kind(0) == "url-not-supported" && kind(1) == "not-found")
      #expect((answers[2]["Ok"] as? [String: Any])?["kind"] as? String == "login")
      let got = try #require(answers[3]["Ok"] as? [String: Any])
      #expect(got["token"] as? String == token && got["cache"] as? String == "session")
      #expect(kind(4) == "url-not-supported" && kind(5) == "url-not-supported")
      #expect((answers[6]["Ok"] as? [String: Any])?["kind"] as? String == "logout")
      #expect(kind(7) == "url-not-supported")
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `answers every line, however odd, and never with another status`() throws {
    try Desk.with { desk in
      _ = try desk.installNames()
      let lines = [
        "", "{", "[]", "{}", #"{"v":2,"registry":{"index-url":"https://x/"},"kind":"get"}"#,
        request("get", "https://github.com/rust-lang/crates.io-index"), request("get", "no url"),
        request("mint", "sparse+https://crates.example/"),
        request("login", "sparse+https://c.example/"),
      ]
      let answers = try provider(desk, lines)
      #expect(answers.count == lines.count)
      let kinds = answers.map { ($0["Err"] as? [String: Any])?["kind"] as? String }
      #expect(
        kinds == [
          "other", "other", "other", "other", "other", "url-not-supported", "url-not-supported",
          "operation-not-supported", "other",
        ])
      let usage = try desk.run("\(desk.directory)/bin/cargo-credential-coder-cred", [])
      #expect(usage.status == 1 && usage.output.isEmpty && !usage.errors.isEmpty)
    }
    try Desk.with(.withoutService) { desk in
      _ = try desk.installNames()
      let answer = try provider(desk, [request("get", "sparse+https://crates.example/")])[0]
      let error = try #require(answer["Err"] as? [String: Any])
      #expect(error["kind"] as? String == "other")
      #expect((error["message"] as? String)?.contains("Secret Service") == true)
    }
  }

  @Test(.enabled(if: Client.hasCargoProviders))
  func `serves the real cargo with a private registry that wants a token`() throws {
    try Desk.with { desk in
      try expectToServe(desk) { environment in
        let configured = try desk.run(["configure", "cargo"], environment: environment)
        #expect(configured.status == 0, "\(configured.stderr)")
      }
    }
  }

  @Test(.enabled(if: Client.hasCargoProviders))
  func
    `serves the real cargo by its token-from-stdout, with one line for the registry that it names`()
    throws
  {
    try Desk.with { desk in
      try expectToServe(desk) { _ in
        let command = "coder-cred header --format authorization"
        let config = "\(desk.directory)/cargo/config.toml"
        let former = try String(contentsOfFile: config, encoding: .utf8)
        try desk.write(
          former
            + "[registry]\nglobal-credential-providers = [\"cargo:token-from-stdout \(command)\"]\n",
          to: config)
      }
    }
  }

  /// Expects cargo to fetch from a registry that wants a token once it is set up, and not before.
  private func expectToServe(_ desk: Desk, _ setUp: ([String: String]) throws -> Void) throws {
    let bin = try desk.installNames()
    let registry = try FakeServer(.sparse, desk)
    try desk.storeToken(registry.secret, at: registry.url)
    // It is not for being the only one that cargo gets it.
    try desk.storeToken(desk.plant("x"), at: "https://other.example.com")
    let home = "\(desk.directory)/cargo"
    try desk.write(
      "[registries.private]\nindex = \"sparse+\(registry.url)/index/\"\n[net]\nretry = 0\n",
      to: "\(home)/config.toml")
    let toolchain = NSHomeDirectory()
    let environment = [
      "PATH": "\(bin):\(toolchain)/.cargo/bin:/usr/bin:/bin", "CARGO_HOME": home,
      "RUSTUP_HOME": "\(toolchain)/.rustup", "CARGO_TERM_COLOR": "never",
    ]
    let project = "\(desk.directory)/project"
    try desk.write(
      """
      [package]
      name = "project"
      version = "0.1.0"
      edition = "2021"
      [dependencies]
      greeting = { version = "1", registry = "private" }
      """, to: "\(project)/Cargo.toml")
    try desk.write("", to: "\(project)/src/lib.rs")
    func fetch() throws -> CommandResult {
      try desk.run("cargo", ["fetch"], environment: environment, directory: project)
    }
    // Before it is configured, cargo has no token.
    #expect(try fetch().status != 0)
    try setUp(environment)
    let fetched = try fetch()
    #expect(fetched.status == 0, "\(fetched.stderr)")
    let lock = try String(contentsOfFile: "\(project)/Cargo.lock", encoding: .utf8)
    #expect(lock.contains("greeting"))
    #expect(try registry.requests(accepted: true).suffix(1) == ["GET /dl/greeting/1.0.0/download"])
  }
}
