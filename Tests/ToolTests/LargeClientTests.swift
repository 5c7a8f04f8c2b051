import Foundation
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

  @Test func `Claude Code asks the AI Gateway and the MCP server`() throws {
    try Desk.with { desk in
      let environment = try environment(desk, "claude").merging([
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
        "IS_SANDBOX": "1", "CI": "1",
      ]) { $1 }
      let server = try FakeServer(.anthropic, desk)
      try desk.storeToken(server.secret, at: server.url)
      let configured = try desk.run(
        ["configure", "claude", "--url", server.url], environment: environment)
      #expect(configured.status == 0, "\(configured.stderr)")
      let said = try desk.run(
        #require(Client.path("claude")), ["-p", "Say pong.", "--model", "claude-test"],
        environment: environment)
      #expect(said.status == 0 && said.stdout.contains("pong"), "\(said)")
      let accepted = try server.requests(accepted: true)
      #expect(accepted.contains("POST /api/v2/aibridge/anthropic/v1/messages"))
      #expect(accepted.contains("POST /api/experimental/mcp/http"))
    }
  }

  @Test func `Codex asks the AI Gateway`() throws {
    try Desk.with { desk in
      let environment = try environment(desk, "codex")
      let server = try FakeServer(.openai, desk)
      try desk.storeToken(server.secret, at: server.url)
      let configured = try desk.run(
        ["configure", "codex", "--url", server.url], environment: environment)
      #expect(configured.status == 0, "\(configured.stderr)")
      let said = try desk.run(
        #require(Client.path("codex")),
        [
          "exec", "--skip-git-repo-check", "--sandbox", "read-only", "-m", "test", "Say pong.",
        ], environment: environment)
      #expect(said.status == 0 && said.stdout.contains("pong"), "\(said)")
      #expect(
        try server.requests(accepted: true).contains("POST /api/v2/aibridge/openai/v1/responses"))
    }
  }
}
