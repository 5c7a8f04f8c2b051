import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A tool that names a server gets a credential for exactly that server, or none.
@Suite(.blocking) struct `A tool that asks for another server` {
  /// A tool's way to ask for a server.
  struct Way: Sendable, CustomTestStringConvertible {
    let name: String
    var words: [String] = []
    /// The request; `URL` stands for the server.
    var input = ""
    /// The environment; `URL` stands for the server.
    var environment: [String: String] = [:]
    var testDescription: String { ([name] + words).joined(separator: " ") }
  }

  static let ways: [Way] = [
    Way(name: "docker-credential-coder-cred", words: ["get"], input: "URL"),
    Way(name: "docker-credential-coder-cred", words: ["erase"], input: "URL"),
    Way(name: "docker-credential-coder-cred", words: ["list"]),
    Way(name: "bazel-credential-coder-cred", words: ["get"], input: #"{"uri":"URL"}"#),
    Way(name: "terraform-credentials-coder-cred", words: ["get", "URL"]),
    Way(name: "terraform-credentials-coder-cred", words: ["forget", "URL"]),
    Way(
      name: "cargo-credential-coder-cred", words: ["--cargo-plugin"],
      input: #"{"v":1,"registry":{"index-url":"sparse+URL"},"kind":"get","operation":"read"}"#),
    Way(
      name: "coder-cred", words: ["token"], environment: ["CARGO_REGISTRY_INDEX_URL": "sparse+URL"]),
    Way(
      name: "coder-cred", words: ["header", "--format", "authorization"],
      environment: ["CARGO_REGISTRY_INDEX_URL": "sparse+URL/index/"]),
    Way(
      name: "coder-cred", words: ["header", "--format", "json"],
      environment: ["CLAUDE_CODE_MCP_SERVER_URL": "URL/mcp"]),
    Way(name: "coder-cred", words: ["header", "--format", "goauth", "URL"]),
    Way(name: "coder-cred", words: ["header", "--format", "bazel", "URL"]),
    Way(name: "coder-cred", words: ["header", "--format", "curl", "URL"]),
    Way(name: "coder-cred", words: ["get", "--format", "docker", "URL"]),
    Way(name: "coder-cred", words: ["header"], environment: ["CODER_URL": "URL"]),
  ]

  @Test(arguments: ways)
  func `gets no token of the one that is stored`(way: Way) throws {
    var settings = DeploymentSimulator.Settings(era: .c)
    settings.basePath = "/coder"
    try Desk.withSession(settings) { desk in
      let bin = try desk.installNames()
      let place = "127.0.0.1:\(desk.deployment.port)"
      let servers = [
        "https://other.example", "https://\(place)/coder", "http://\(place)", place,
        "http://\(place)/coderx", "http://localhost:\(desk.deployment.port)/coder",
        "http://x@\(place)/coder", "http://\(place).example/coder", "http://a.\(place)/coder",
        "http://\(place)/coder/../x", "http://\(place)/coder%2F..", "", " ", "\n", "x y",
        "http://\(place)@other.example/coder", "\(desk.url)\u{0}", "*", "//\(place)/coder",
      ]
      for server in servers {
        let filled = { (text: String) in text.replacingOccurrences(of: "URL", with: server) }
        guard !server.contains("\0") || !way.input.isEmpty else { continue }
        let result = try desk.desktop.run(
          "\(bin)/\(way.name)", way.words.map(filled), input: Array(filled(way.input).utf8),
          environment: way.environment.mapValues(filled).filter { !$0.value.isEmpty })
        // An empty variable names nothing: then the only deployment is meant.
        let namesNothing = server.isEmpty && way.input.isEmpty && way.name == "coder-cred"
        if !namesNothing {
          #expect(!desk.canary.isIn(result.output), "\(way.words) for \(server.debugDescription)")
        }
        #expect(!desk.canary.isIn(result.errors))
        #expect(!result.timedOut && result.signal == nil)
      }
      #expect(try desk.sessions().count == 1)
      #expect(desk.deployment.requests.isEmpty)
    }
  }
}
