import Credentials
import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Who names a server gets a credential for exactly that server, or none: the only session stored is
/// not given to whoever asks about something else.
@Suite(.blocking) struct `A server for which nothing is stored` {
  @Test(arguments: NamingCall.all)
  func `gets no token of the one that is stored`(call: NamingCall) throws {
    var settings = DeploymentSimulator.Settings(era: .c)
    settings.basePath = "/coder"
    try Desk.withSession(settings) { desk in
      let other = try DeploymentSimulator()
      defer { other.stop() }
      let names = try desk.installNames()
      let programs =
        call.runsBoth ? [desk.program, desk.fullProgram] : ["\(names)/\(call.program)"]
      let before = try desk.desktop.items()
      for way in call.ways {
        for server in servers(desk, other) + (call.isOddToo ? oddServers(desk) : []) {
          guard let run = try call.naming(server, by: way, desk) else { continue }
          // An empty variable names nothing: then the only deployment is meant.
          let namesNothing = server.isEmpty && (way.isVariable || way == .setting)
          for program in programs {
            let result = try desk.desktop.run(
              program, run.words, input: Array(run.input.utf8), environment: run.environment)
            let what = "\(run.words) by \(way) for \(server.debugDescription): \(result.stderr)"
            #expect(!desk.canary.isIn(result.output) || namesNothing, "\(what)")
            #expect(!desk.canary.isIn(result.errors), "\(what)")
            #expect(!result.timedOut && result.signal == nil, "\(what)")
          }
          for request in other.requests {
            let sent =
              String(decoding: request.body, as: UTF8.self)
              + request.headers.values.joined() + request.query.values.joined()
            #expect(!desk.canary.isIn(sent), "\(run.words): \(request)")
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

  @Test func `is asked of by every command, format and name that there is`() throws {
    try Desk.with(.withoutBus) { desk in
      let calls = NamingCall.all
      let dumped = try desk.run(desk.fullProgram, ["--experimental-dump-help"]).object()
      let command = try #require(dumped["command"] as? [String: Any])
      let commands = try #require(command["subcommands"] as? [[String: Any]])
      let names = Set(commands.compactMap { $0["commandName"] as? String })
      // They take no server, or none to hand out a token for.
      let others: Set = [
        "capability", "callback", "config", "doctor", "finish-refresh", "help", "import", "list",
        "login", "show-sign-in-notice",
      ]
      #expect(
        Set(calls.filter { $0.program == "coder-cred" }.map { $0.words[0] }) == names - others)

      for notation in Credential.HeaderNotation.all {
        #expect(calls.contains { $0.words == ["header", "--format", notation.name] })
      }
      for format in Credential.Format.names {
        #expect(calls.contains { $0.words == ["get", "--format", format] }, "\(format)")
        #expect(calls.contains { $0.words == ["token", "--format", format] }, "\(format)")
      }

      // What an installation links.
      let build = try String(
        contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
          .appendingPathComponent("../../packaging/build"), encoding: .utf8)
      let linked = try #require(build.firstMatch(of: /for protocol in ([a-z -]+);/)?.1)
      let programs = Set(linked.split(separator: " ").map { "\($0)-coder-cred" } + ["coder-cred"])
      #expect(Set(calls.map(\.program)) == programs && Set(Desk.names) == programs)
    }
  }

  /// Servers that a deployment's URL may be mistaken for.
  private func servers(_ desk: Desk, _ other: DeploymentSimulator) -> [String] {
    let place = "127.0.0.1:\(desk.deployment.port)"
    return [
      other.url, "\(other.url)/coder", "https://\(place)/coder", "http://\(place)",
      "http://\(place)/coderx", "http://localhost:\(desk.deployment.port)/coder",
      "http://127.0.0.1:\(other.port)/\(place)", "http://\(place)@127.0.0.1:\(other.port)/coder",
      "https://127.0.0.1.example/coder",
    ]
  }

  /// What is no server's URL, or only looks like one.
  private func oddServers(_ desk: Desk) -> [String] {
    let place = "127.0.0.1:\(desk.deployment.port)"
    return [
      place, "http://x@\(place)/coder", "http://\(place).example/coder", "http://a.\(place)/coder",
      "http://\(place)/coder/../x", "http://\(place)/coder%2F..", "", " ", "\n", "x y",
      "http://\(place)@other.example/coder", "\(desk.url)\u{0}", "*", "//\(place)/coder",
    ]
  }
}

extension Set {
  fileprivate static func - (one: Set, other: Set) -> Set { one.subtracting(other) }
}
