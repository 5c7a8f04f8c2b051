import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `exec` {
  @Test func `A command runs with URL and token, and its exit status is ours`() throws {
    try Desk.withSession { desk in
      let script = #"printf '%s %s' "$CODER_URL" "$CODER_SESSION_TOKEN"; cat; exit 7"#
      let result = try desk.run(["exec", "--", "sh", "-c", script], input: " in")
      #expect(result.status == 7)
      let words = result.stdout.split(separator: " ").map(String.init)
      #expect(words.first == desk.url && words.last == "in")
      #expect(desk.deployment.isValid(accessToken: words.count == 3 ? words[1] : ""))
      let flags = try desk.run(["exec", "--url", desk.url, "--", "echo", "--url", "-x", "a b"])
      #expect(flags.stdout == "--url -x a b\n")
    }
  }

  @Test func `The command's signals are as it expects them, and nothing else is inherited`()
    throws
  {
    try Desk.withSession { desk in
      try desk.age()
      let result = try desk.run([
        "exec", "--", "sh", "-c", "grep -E '^Sig(Ign|Blk)' /proc/self/status; ls /proc/self/fd",
      ])
      #expect(result.status == 0)
      #expect(desk.deployment.refreshes.count == 1)
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
    try Desk.withSession { desk in
      let missing = try desk.run(["exec", "--", "no-such-command"])
      #expect(missing.status == 127)
      #expect(try desk.run(["exec", "--", "/etc/passwd"]).status == 126)
      #expect(try desk.run(["exec"]).status == 64)
      #expect(try desk.run(["exec", "--url", "https://other.example", "--", "true"]).status == 1)
    }
  }
}
