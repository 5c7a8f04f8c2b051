import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What comes in on standard input or the command line and cannot be meant.
@Suite(.blocking) struct `Bad input` {
  private static let valid = "protocol=https\nhost=git.example.com\n"

  /// What it is, and the request.
  private func malformed(_ desk: Desk) -> [(String, String)] {
    let secret = "username=alice\npassword=\(desk.plant())\n"
    let valid = Self.valid + secret
    let tenMiB = String(repeating: "wwwauth[]=\(desk.canary.word)\n", count: (10 << 20) / 22)
    return [
      ("nothing", ""), ("an empty line", "\n" + valid), ("no host", "protocol=https\n" + secret),
      ("an empty host", "protocol=https\nhost=\n" + secret),
      ("no protocol", "host=git.example.com\n" + secret),
      ("a NUL in a value", "username=a\0b\n" + valid), ("a NUL alone", "\0\n" + valid),
      ("a CR inside a value", "username=a\rb\n" + valid),
      ("two CRs at a line's end", valid + "path=a\r\r\n"),
      ("U+2028 in a host", "protocol=https\nhost=git.example.com\u{2028}evil\n" + secret),
      ("a line break in a URL's host", "url=https://git%0a.example.com/\n" + secret),
      ("a line without =", valid + "path\n"),
      ("a line of 65,536 bytes", valid + "path=" + String(repeating: "a", count: 65_531) + "\n"),
      ("10 MiB of attributes", tenMiB + valid),
      ("http to another machine", "protocol=http\nhost=git.example.com\n" + secret),
      ("http to a name like loopback", "protocol=http\nhost=127.0.0.1.example.com\n" + secret),
      ("a port that is none", "protocol=https\nhost=git.example.com:99999\n" + secret),
      ("a path that climbs", valid + "path=a/../../b\n"),
    ]
  }

  @Test(arguments: ["get", "store", "erase"])
  func `A malformed request is refused with 65, and nothing happens`(verb: String) throws {
    try Desk.with { desk in
      try desk.login()
      #expect(
        try desk.run(
          ["store"],
          input: Self.valid + "username=alice\npassword=\(desk.plant())\n"
        ).status == 0)
      desk.deployment.clearLog()
      try desk.desktop.expectUnchangedItems(verb) {
        for (what, input) in malformed(desk) {
          expectFailure(try desk.run([verb], input: input), 65, "\(verb), \(what)")
        }
      }
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test func `The longest line that is allowed is allowed`() throws {
    try Desk.with { desk in
      let line = "wwwauth[]=" + String(repeating: "a", count: 65_525) + "\n"
      #expect(line.utf8.count == 65_536)
      let asked = try desk.run(["get"], input: Self.valid + line)
      #expect(asked.status == 0 && asked.output.isEmpty)
    }
  }

  @Test func `Arguments that cannot be meant end with 64 before anything is asked`() throws {
    try Desk.with { desk in
      try desk.login()
      desk.deployment.clearLog()
      try desk.desktop.expectUnchangedItems("an argument") {
        for arguments in [
          ["get", "--min-ttl", "-5", desk.url], ["get", "--min-ttl", "soon", desk.url],
          ["get", "--min-ttl", "99999999999999999999", desk.url],
          ["get", desk.url, "--format", "yaml"], ["token", desk.url, desk.url],
          ["header", desk.url, "--format", "git"], ["get", "--nonsense"],
          ["login", "--port", "80"],
          ["login", desk.url, "--port", "70000"], ["login", desk.url, "--scope", "a\"b"],
          ["login", desk.url, "--method", "magic"], ["nonsense", "verb"],
        ] {
          expectFailure(try desk.run(arguments), 64, "\(arguments)")
        }
      }
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test func `A URL that cannot be meant ends with 65`() throws {
    try Desk.with { desk in
      for url in [
        "http://dev.example.com", "https://", "https://a b", "https://user@dev.example.com",
        "https://dev.example.com/?q=1", "https://dev.example.com/#f", "https://dev.example.com:x",
        "https://dév.example.com", "https://dev.example.com/%zz",
      ] {
        for verb in ["get", "token", "header", "login"] {
          expectFailure(try desk.run([verb, url]), 65, "\(verb) \(url)")
        }
      }
    }
  }

  @Test func `Output that cannot be written is an error, and ends with 70`() throws {
    try Desk.with { desk in
      try desk.login()
      for program in [desk.program, desk.fullProgram] {
        for output in ["/dev/full", "&-"] {
          let result = try desk.run(
            "/bin/sh", ["-c", "exec \"$0\" token \"$1\" >\(output)", program, desk.url])
          expectFailure(result, 70, output)
        }
      }
      for arguments in ["list", "list --json", "status", "use --help", "--version", "capability"] {
        let result = try desk.run(
          "/bin/sh", ["-c", "exec \"$0\" \(arguments) >/dev/full", desk.program])
        expectFailure(result, 70, arguments)
      }
    }
  }

  @Test func `A URL may be named by an argument or by --url, once`() throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      for words in [
        ["token", "--url", desk.url], ["token", "--url=\(desk.url)", desk.url],
        ["--url", desk.url, "token"], ["token", "--url", " \(desk.url)\n"],
      ] {
        for program in [desk.program, desk.fullProgram] {
          #expect(try desk.desktop.run(program, words).stdout == token + "\n", "\(words)")
        }
      }
      let header = try desk.run(["header", "--url", desk.url])
      #expect(header.stdout == "Authorization=Bearer \(token)\n")
      #expect(try desk.run(["get", "--url", desk.url])["credential"] == token)
      expectFailure(try desk.run(["token", desk.url, "--url", "https://other.example"]), 64)
      for url in [" \(desk.url)\n", "\t\(desk.url)/ \r\n"] {
        #expect(try desk.run(["token"], environment: ["CODER_URL": url]).stdout == token + "\n")
      }
      // git says itself which server it asks about, whatever the words before its verb.
      let chained = try desk.run(
        ["--url", desk.url, "get"], input: "protocol=https\nhost=github.com\n",
        environment: ["GIT_EXEC_PATH": "/usr/lib/git-core"])
      expectFailure(chained, 64)
    }
  }
}
