import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Who names a server gets a credential for exactly that server, or none: the only session stored is
/// not given to whoever asks about something else.
@Suite(.blocking) struct `A server for which nothing is stored` {
  /// The ways to name a server to a command.
  enum Way: String, CaseIterable, Sendable {
    case argument, option, coderURL, mcpServerURL, setting, request
  }

  /// A command without what names the server, and the ways that it takes.
  struct Command: Sendable, CustomTestStringConvertible {
    let words: [String]
    var ways: Set<Way> = [.argument, .coderURL, .mcpServerURL, .setting]
    var rest: [String] = []
    var testDescription: String { (words + rest).joined(separator: " ") }

    static let all =
      [
        Command(words: ["get"], ways: [.argument, .request]),
        Command(words: ["get", "--format", "json"], ways: [.argument, .request]),
        Command(words: ["get", "--format", "token"], ways: [.argument, .request]),
        Command(words: ["get", "get"], ways: [.request]),
        Command(words: ["get", "--verify"], ways: [.argument, .option, .request]),
        Command(words: ["token"], ways: Set(Way.allCases).subtracting([.request])),
        Command(words: ["token", "--account", "alice"]),
        Command(
          words: ["token", "--verify"], ways: [.argument, .option, .coderURL, .mcpServerURL]),
        Command(words: ["token", "--no-refresh"]), Command(words: ["refresh"]),
        Command(words: ["refresh", "--due"], ways: [.argument]),
        Command(
          words: ["exec"], ways: [.option, .coderURL, .mcpServerURL, .setting], rest: ["--", "env"]),
        Command(
          words: ["api", "/api/v2/users/me"], ways: [.option, .coderURL, .mcpServerURL, .setting]),
        Command(words: ["status", "--check"], ways: [.argument]),
        Command(words: ["status", "--json"], ways: [.argument]),
        Command(words: ["logout"]), Command(words: ["logout", "--revoke"]),
        Command(words: ["store"], ways: [.request]), Command(words: ["erase"], ways: [.request]),
        Command(words: ["header"], ways: [.option]), Command(words: ["header", "--verify"]),
      ]
      + ["coder", "lines", "json", "cookie"].map { Command(words: ["header", "--format", $0]) }
  }

  /// Servers that a deployment's URL may be mistaken for.
  private static func servers(_ desk: Desk, _ other: DeploymentSimulator) -> [String] {
    let place = "127.0.0.1:\(desk.deployment.port)"
    return [
      other.url, "\(other.url)/coder", "https://\(place)/coder", "http://\(place)",
      "http://\(place)/coderx", "http://localhost:\(desk.deployment.port)/coder",
      "http://127.0.0.1:\(other.port)/\(place)", "http://\(place)@127.0.0.1:\(other.port)/coder",
      "https://127.0.0.1.example/coder",
    ]
  }

  @Test(arguments: Command.all)
  func `gets no token of the one that is stored`(command: Command) throws {
    var settings = DeploymentSimulator.Settings(era: .c)
    settings.basePath = "/coder"
    try Desk.withSession(settings) { desk in
      let other = try DeploymentSimulator()
      defer { other.stop() }
      let before = try desk.desktop.items()
      for way in command.ways {
        for server in Self.servers(desk, other) {
          var (words, input) = (command.words, "")
          var environment: [String: String] = [:]
          if command.words[0] == "exec" { environment["CODER_URL"] = nil }
          switch way {
          case .argument: words.append(server)
          case .option: words += ["--url", server]
          case .coderURL: environment["CODER_URL"] = server
          case .mcpServerURL: environment["CLAUDE_CODE_MCP_SERVER_URL"] = server
          case .setting: try desk.configure("default-deployment=\(server)")
          case .request: input = "url=\(server)\n\n"
          }
          for program in [desk.program, desk.fullProgram] {
            let result = try desk.desktop.run(
              program, words + command.rest, input: Array(input.utf8), environment: environment)
            let what = "\(words) by \(way) for \(server): \(result.stderr)"
            #expect(!desk.canary.isIn(result.output) && !desk.canary.isIn(result.errors), "\(what)")
            #expect(!result.timedOut && result.signal == nil, "\(what)")
          }
          for request in other.requests {
            let sent =
              String(decoding: request.body, as: UTF8.self)
              + request.headers.values.joined() + request.query.values.joined()
            #expect(!desk.canary.isIn(sent), "\(words): \(request)")
          }
        }
        if way == .setting { try FileManager.default.removeItem(atPath: desk.configuration) }
      }
      // Nothing was signed out, erased or replaced either; store may have added what it was given.
      let after = try desk.desktop.items()
      #expect(before.allSatisfy(after.contains))
      #expect(desk.deployment.requests.isEmpty)
    }
  }
}
