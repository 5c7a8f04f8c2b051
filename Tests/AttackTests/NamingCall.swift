import Credentials
import Foundation
import TestDesk
import Testing

/// A call of one of our programs without what names the server, and the ways to name one to it.
struct NamingCall: Sendable, CustomTestStringConvertible {
  /// The ways to name a server to a program.
  enum Way: String, CaseIterable, Sendable {
    case argument, option, coderURL, mcpServerURL, cargoIndexURL, setting, request

    /// Whether it is a variable of the environment.
    var isVariable: Bool { [.coderURL, .mcpServerURL, .cargoIndexURL].contains(self) }
  }

  var program = "coder-cred"
  let words: [String]
  var ways: Set<Way> = [.argument, .coderURL, .mcpServerURL, .setting]
  var rest: [String] = []
  /// What is written to standard input; `URL` stands for the server.
  var request = "url=URL\n\n"
  /// Whether both programs are run, or only the one that tools run.
  var runsBoth = false
  /// Whether it is also asked for what is hardly a URL.
  var isOddToo = false

  var testDescription: String { ([program] + words + rest).joined(separator: " ") }

  /// One run that names a server; nil when it cannot be named in this way.
  func naming(
    _ server: String, by way: Way, _ desk: Desk
  ) throws -> (words: [String], input: String, environment: [String: String])? {
    guard way == .request || !server.contains("\0") else { return nil }
    var (words, input) = (words, "")
    var environment: [String: String] = [:]
    switch way {
    case .argument: words.append(server)
    case .option: words += ["--url", server]
    case .coderURL: environment["CODER_URL"] = server
    case .mcpServerURL: environment["CLAUDE_CODE_MCP_SERVER_URL"] = server
    case .cargoIndexURL: environment["CARGO_REGISTRY_INDEX_URL"] = "sparse+\(server)"
    case .setting: try desk.configure("default-deployment=\(server)")
    case .request: input = request.replacingOccurrences(of: "URL", with: server)
    }
    return (words + rest, input, environment.filter { !$0.value.isEmpty })
  }

  static let all = commands + formats + tools

  private static let commands = [
    NamingCall(words: ["get"], ways: [.argument, .request]),
    NamingCall(words: ["get", "get"], ways: [.request]),
    NamingCall(words: ["get", "--verify"], ways: [.argument, .option, .request]),
    NamingCall(words: ["token"], ways: [.argument, .option, .coderURL, .mcpServerURL, .setting]),
    NamingCall(words: ["token", "--account", "alice"]),
    NamingCall(
      words: ["token", "--verify"], ways: [.argument, .option, .coderURL, .mcpServerURL]),
    NamingCall(words: ["token", "--no-refresh"]), NamingCall(words: ["refresh"]),
    NamingCall(words: ["refresh", "--due"], ways: [.argument]),
    NamingCall(
      words: ["exec"], ways: [.option, .coderURL, .mcpServerURL, .setting], rest: ["--", "env"]),
    NamingCall(
      words: ["api", "/api/v2/users/me"], ways: [.option, .coderURL, .mcpServerURL, .setting]),
    NamingCall(words: ["status", "--check"], ways: [.argument]),
    NamingCall(words: ["status", "--json"], ways: [.argument]),
    NamingCall(words: ["logout"]), NamingCall(words: ["logout", "--revoke"]),
    NamingCall(words: ["store"], ways: [.request]), NamingCall(words: ["erase"], ways: [.request]),
    NamingCall(words: ["header"], ways: [.option]), NamingCall(words: ["header", "--verify"]),
    NamingCall(words: ["use"], ways: [.argument]),
    NamingCall(words: ["configure", "claude", "--print"], ways: [.option]),
    NamingCall(words: ["configure", "codex"], ways: [.option]),
  ].map { call in
    var call = call
    call.runsBoth = true
    return call
  }

  /// Every format, from the programs' own tables.
  private static let formats =
    Credential.HeaderNotation.all.flatMap { notation -> [NamingCall] in
      let words = ["header", "--format", notation.name]
      return [
        NamingCall(words: words, ways: [.argument], isOddToo: true),
        NamingCall(words: words, ways: [.mcpServerURL, .cargoIndexURL]),
      ]
    }
    + Credential.Format.names.flatMap { format in
      [
        NamingCall(words: ["get", "--format", format], ways: [.argument, .request]),
        NamingCall(words: ["token", "--format", format], ways: [.coderURL]),
      ]
    }

  /// The programs under the names by which tools find them.
  private static let tools = [
    NamingCall(program: "git-credential-coder-cred", words: ["get"], ways: [.request]),
    NamingCall(program: "git-credential-coder-cred", words: ["erase"], ways: [.request]),
    NamingCall(
      program: "docker-credential-coder-cred", words: ["get"], ways: [.request], request: "URL"),
    NamingCall(
      program: "docker-credential-coder-cred", words: ["erase"], ways: [.request], request: "URL"),
    NamingCall(
      program: "docker-credential-coder-cred", words: ["list"], ways: [.request], request: ""),
    NamingCall(
      program: "bazel-credential-coder-cred", words: ["get"], ways: [.request],
      request: #"{"uri":"URL"}"#),
    NamingCall(program: "terraform-credentials-coder-cred", words: ["get"], ways: [.argument]),
    NamingCall(program: "terraform-credentials-coder-cred", words: ["forget"], ways: [.argument]),
    NamingCall(
      program: "cargo-credential-coder-cred", words: ["--cargo-plugin"], ways: [.request],
      request:
        #"{"v":1,"registry":{"index-url":"sparse+URL"},"kind":"get","operation":"read"}"#),
    NamingCall(words: ["token"], ways: [.cargoIndexURL]),
    NamingCall(words: ["header"], ways: [.coderURL]),
  ].map { call in
    var call = call
    call.isOddToo = true
    return call
  }
}
