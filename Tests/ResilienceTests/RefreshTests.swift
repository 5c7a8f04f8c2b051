import DeploymentSimulator
import Foundation
import TestDesk
import Testing

extension ResilienceTests {
  @Suite struct RefreshTests {
    @Test func `Refresh brings a new token now, for a URL, for the only one, and for all`() throws {
      try Life.with { life in
        var tokens = [try life.expectToken()]
        for arguments in [["refresh", life.url], ["refresh"], ["refresh", "--all"]] {
          let result = try life.session.run(life.program, arguments)
          #expect(result.status == 0, "\(result.stderr)")
          #expect(result.output.isEmpty)
          tokens.append(try life.expectToken())
        }
        #expect(Set(tokens).count == 4)
        #expect(try life.run("refresh", "--due").status == 0)
        #expect(life.refreshes.count == 3)
        #expect(try life.run("refresh", life.url, "--all").status == 64)
        #expect(try life.run("refresh", "https://other.example").status == 1)
      }
    }

    @Test func `Of twenty deployments, those that are due are refreshed`() throws {
      try Life.with { life in
        var others: [DeploymentSimulator] = []
        defer { others.forEach { $0.stop() } }
        for index in 0..<19 {
          var settings = DeploymentSimulator.Settings()
          settings.accessTokenLifetime = index < 7 ? 1_200 : 86_400
          let other = try DeploymentSimulator(settings)
          others.append(other)
          try life.signIn(to: other)
          other.change { $0.accessTokenLifetime = 86_400 }
          other.clearLog()
        }
        let result = try life.run("refresh", "--due")
        #expect(result.status == 0, "\(result.stderr)")
        #expect(result.stderr.split(separator: "\n").count == 7)
        for (index, other) in others.enumerated() {
          #expect(other.requests.count == (index < 7 ? 1 : 0))
        }
        #expect(life.deployment.requests.isEmpty)
        let again = try life.run("refresh", "--due")
        #expect(again.status == 0 && again.stderr.isEmpty)
      }
    }

    @Test func `One deployment in trouble does not keep the others from their refresh`() throws {
      try Life.with { life in
        let other = try DeploymentSimulator()
        defer { other.stop() }
        try life.signIn(to: other)
        life.deployment.inject(.status(503), at: .refresh, times: 10)
        other.clearLog()
        let result = try life.run("refresh", "--all")
        #expect(result.status == 75)
        #expect(result.stderr.contains("HTTP 503"))
        #expect(other.requests.tokenRequests().count == 1)
        // A verdict comes before a trouble.
        other.revokeGrant()
        #expect(try life.run("refresh", "--all").status == 1)
        // What has ended is not due.
        try life.forgetFailures()
        life.deployment.clearFaults()
        #expect(try life.run("refresh", "--due").status == 0)
      }
    }

    @Test func `A locked keyring is said to be locked`() throws {
      try Life.with { life in
        try life.session.lock()
        let result = try life.run("refresh", "--due")
        #expect(result.status == 69)
        #expect(result.stderr.contains("locked"))
      }
    }
  }

  @Suite struct ExecTests {
    @Test func `A command runs with URL and token, and its exit status is ours`() throws {
      try Life.with { life in
        let script = #"printf '%s %s' "$CODER_URL" "$CODER_SESSION_TOKEN"; cat; exit 7"#
        let result = try life.run("exec", "--", "sh", "-c", script, input: " in")
        #expect(result.status == 7)
        let words = result.stdout.split(separator: " ").map(String.init)
        #expect(words.first == life.url && words.last == "in")
        #expect(life.deployment.isValid(accessToken: words.count == 3 ? words[1] : ""))
        let flags = try life.run("exec", "--url", life.url, "--", "echo", "--url", "-x", "a b")
        #expect(flags.stdout == "--url -x a b\n")
      }
    }

    @Test func `The command's signals are as it expects them, and nothing else is inherited`()
      throws
    {
      try Life.with { life in
        try life.age()
        let result = try life.run(
          "exec", "--", "sh", "-c", "grep -E '^Sig(Ign|Blk)' /proc/self/status; ls /proc/self/fd")
        #expect(result.status == 0)
        #expect(life.refreshes.count == 1)
        let lines = result.stdout.split(separator: "\n").map(String.init)
        let masks = lines.prefix(2).map { line in
          UInt64(line.drop { $0 != "\t" }.dropFirst(), radix: 16) ?? .max
        }
        for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP] {
          #expect(masks.allSatisfy { $0 & (1 << UInt64(signal - 1)) == 0 }, "\(lines)")
        }
        // Three streams, and the directory that ls reads.
        #expect(lines.dropFirst(2) == ["0", "1", "2", "3"])
      }
    }

    @Test func `What cannot be run is told as a shell tells it`() throws {
      try Life.with { life in
        let missing = try life.run("exec", "--", "no-such-command")
        #expect(missing.status == 127)
        #expect(try life.run("exec", "--", "/etc/passwd").status == 126)
        #expect(try life.run("exec").status == 64)
        #expect(try life.run("exec", "--url", "https://other.example", "--", "true").status == 1)
      }
    }
  }
}
