import DeploymentSimulator
import Foundation
import Synchronization
import TestDesk
import Testing

/// Clients of hundreds of megabytes: `CODER_CRED_CLIENTS=1 packaging/test`.
@Suite(.blocking, .enabled(if: Client.largeOnes)) struct `A large client` {
  /// What it gets besides the desk's environment: our names, and its own on the path.
  private func environment(_ desk: Desk, _ client: String) throws -> [String: String] {
    let program = try #require(Client.path(client), "packaging/setup installs \(client)")
    let directory = (program as NSString).deletingLastPathComponent
    return try ["PATH": "\(desk.installNames()):\(directory):/usr/bin:/bin"]
  }

  @Test func `Go fetches a module from a proxy that wants a token`() throws {
    try Desk.with { desk in
      var environment = try environment(desk, "go")
      let proxy = try FakeServer(.goproxy, desk)
      try desk.storeToken(proxy.secret, at: proxy.url)
      let module = "\(desk.directory)/module"
      try desk.write("module example.com/m\n\ngo 1.24\n", to: "\(module)/go.mod")
      environment.merge([
        "GOPROXY": "\(proxy.url)/mod", "GONOSUMDB": "*", "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local", "SSL_CERT_FILE": FakeServer.certificatePath(desk),
        "GOPATH": "\(desk.directory)/go", "GOTELEMETRY": "off",
      ]) { $1 }
      func get() throws -> CommandResult {
        try desk.run(
          #require(Client.path("go")), ["mod", "download", "example.com/greeting@v1.0.0"],
          environment: environment,
          directory: module)
      }
      #expect(try get().status != 0)
      // The only one stored is not for a server that is not named, but a second one is in doubt.
      try desk.storeToken(desk.plant("x"), at: "https://other.example.com")
      let configured = try desk.run(["configure", "go"], environment: environment)
      #expect(configured.status == 0, "\(configured.stderr)")
      let got = try get()
      #expect(got.status == 0, "\(got.stderr)")
      #expect(try proxy.requests(accepted: true).contains { $0.hasSuffix("/v1.0.0.zip") })
    }
  }

  /// Configures Claude Code for a deployment, and says something to it.
  private func askClaude(_ desk: Desk, at url: String) throws -> CommandResult {
    let environment = try environment(desk, "claude").merging([
      "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
      "IS_SANDBOX": "1", "CI": "1",
    ]) { $1 }
    let configured = try desk.run(["configure", "claude", "--url", url], environment: environment)
    #expect(configured.status == 0, "\(configured.stderr)")
    return try desk.run(
      #require(Client.path("claude")), ["-p", "Say pong.", "--model", "claude-test"],
      environment: environment)
  }

  /// Configures Codex for a deployment, and says something to it.
  private func askCodex(_ desk: Desk, at url: String) throws -> CommandResult {
    let environment = try environment(desk, "codex")
    let configured = try desk.run(["configure", "codex", "--url", url], environment: environment)
    #expect(configured.status == 0, "\(configured.stderr)")
    return try desk.run(
      #require(Client.path("codex")),
      ["exec", "--skip-git-repo-check", "--sandbox", "read-only", "-m", "test", "Say pong."],
      environment: environment)
  }

  @Test func `Claude Code asks the AI Gateway and the MCP server`() throws {
    try Desk.with { desk in
      let server = try FakeServer(.anthropic, desk)
      try desk.storeToken(server.secret, at: server.url)
      let said = try askClaude(desk, at: server.url)
      #expect(said.status == 0 && said.stdout.contains("pong"), "\(said)")
      let accepted = try server.requests(accepted: true)
      #expect(accepted.contains("POST /api/v2/aibridge/anthropic/v1/messages"))
      #expect(accepted.contains("POST /api/experimental/mcp/http"))
    }
  }

  @Test func `Codex asks the AI Gateway`() throws {
    try Desk.with { desk in
      let server = try FakeServer(.openai, desk)
      try desk.storeToken(server.secret, at: server.url)
      let said = try askCodex(desk, at: server.url)
      #expect(said.status == 0 && said.stdout.contains("pong"), "\(said)")
      #expect(
        try server.requests(accepted: true).contains("POST /api/v2/aibridge/openai/v1/responses"))
    }
  }

  @Test func `Claude Code goes on with a new token when the first is refused`() throws {
    try Desk.withSession { desk in
      let gateway = "/api/v2/aibridge/anthropic/v1/messages"
      try desk.serveGateway(.anthropic, refusingFirstAt: gateway)
      try expectRetry(desk, try askClaude(desk, at: desk.url), at: gateway)
    }
  }

  @Test func `Codex goes on with a new token when the first is refused`() throws {
    try Desk.withSession { desk in
      let gateway = "/api/v2/aibridge/openai/v1/responses"
      try desk.serveGateway(.openai, refusingFirstAt: gateway)
      try expectRetry(desk, try askCodex(desk, at: desk.url), at: gateway)
    }
  }

  /// Expects a client to have asked its helper again after a refusal, which has brought one new token.
  private func expectRetry(_ desk: Desk, _ said: CommandResult, at gateway: String) throws {
    #expect(said.status == 0 && said.stdout.contains("pong"), "\(said)")
    let statuses = desk.deployment.requests.filter { $0.path == gateway }.map { $0.status ?? 0 }
    #expect(statuses.first == 401 && statuses.last == 200, "\(statuses)")
    #expect(desk.deployment.refreshes.count == 1)
    print("\(gateway): \(statuses)")
  }
}

extension Desk {
  /// Lets the deployment serve a gateway as a fake server does, for tokens of its own; those that are
  /// valid when the gateway is asked first are revoked at that moment.
  fileprivate func serveGateway(_ kind: FakeServer.Kind, refusingFirstAt gateway: String) throws {
    let server = try FakeServer(kind, self)
    let (deployment, url, secret) = (deployment, server.url, server.secret)
    let wasAsked = Atomic(false)
    deployment.changeResponses(at: "/api/*") { response, request in
      guard request.path == gateway || request.path.hasPrefix("/api/experimental/") else { return }
      if request.path == gateway, !wasAsked.exchange(true, ordering: .relaxed) {
        deployment.revokeAccessTokens()
      }
      let field = request.headers["authorization"].map { String($0.dropFirst("Bearer ".count)) }
      guard deployment.isValid(accessToken: field ?? request.headers["x-api-key"] ?? "") else {
        response = ScriptedResponse(401, json: "{}")
        return
      }
      let answer = try? Exchange.send(
        request.method, url + request.path, headers: ["Authorization": "Bearer \(secret)"],
        body: request.body)
      response = ScriptedResponse(
        answer?.status ?? 502,
        fields: [("Content-Type", answer?.headers["content-type"] ?? "application/json")],
        body: answer?.body ?? [])
    }
  }
}
