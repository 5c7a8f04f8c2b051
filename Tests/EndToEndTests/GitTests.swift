import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Real git in front, through `credential.helper`.
@Suite(.blocking) struct `git as the caller` {
  private func git(
    _ desk: Desk, _ operation: String, _ lines: [String], flags: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CommandResult {
    try desk.run(
      "git",
      ["-c", "credential.helper=\(desk.program)\(flags)", "credential", operation],
      input: lines.joined(separator: "\n") + "\n\n",
      sourceLocation: sourceLocation)
  }

  private func place(_ desk: Desk) -> [String] {
    ["protocol=http", "host=\(desk.url.dropFirst("http://".count))"]
  }

  @Test
  func `A deployment's token is filled in, approved without a word, and refreshed when rejected`()
    throws
  {
    try Desk.with { desk in
      try desk.login()
      let filled = try git(desk, "fill", place(desk))
      #expect(filled.status == 0, "\(filled.stderr)")
      let token = try desk.token()
      #expect(filled["username"] == "alice" && filled["password"] == token)
      #expect(filled["oauth_refresh_token"] == nil)
      let known = place(desk) + ["username=alice", "password=\(token)"]
      try desk.desktop.expectUnchangedItems("what was filled in and comes back") {
        expectSilence(try git(desk, "approve", known))
      }
      desk.deployment.clearLog()
      expectSilence(try git(desk, "reject", known))
      #expect(desk.deployment.requests.isEmpty)
      let again = try git(desk, "fill", place(desk))
      #expect(again["username"] == "alice")
      #expect(again["password"] != token)
      #expect(desk.deployment.isValid(accessToken: again["password"] ?? ""))
      #expect(desk.deployment.requests.tokenRequests().count == 1)
    }
  }

  @Test func `A git that knows authtype gets the bearer form, whichever git runs here`() throws {
    try Desk.with { desk in
      try desk.login()
      let filled = try git(desk, "fill", ["capability[]=authtype"] + place(desk))
      let token = try desk.token()
      if filled["authtype"] == nil {
        #expect(filled["password"] == token)
      } else {
        #expect(filled["authtype"] == "Bearer" && filled["credential"] == token)
      }
    }
  }

  @Test func `Flags may stand before the verb that git appends`() throws {
    try Desk.with { desk in
      for user in ["alice", "bob"] { try desk.login(as: user) }
      for user in ["bob", "alice"] {
        for flags in [" --account=\(user)", " --account \(user) --min-ttl 5", " --no-refresh"] {
          let named = flags.contains(user) ? [] : ["username=\(user)"]
          let filled = try git(desk, "fill", place(desk) + named, flags: flags)
          #expect(filled.status == 0, "\(flags): \(filled.stderr)")
          #expect(filled["username"] == user, "\(flags)")
          #expect(
            try filled["password"] == desk.token("--account", user), "\(flags)")
        }
      }
    }
  }

  @Test func `A plain password is kept exactly, and leaves only when it is the one rejected`()
    throws
  {
    try Desk.with { desk in
      let passwords = [
        desk.plant(), desk.plant(#""quoted" and 'single'"#), desk.plant(#"\back\slashes\\n"#),
        desk.plant("100%25 %0a %"), desk.plant(" =ünïcødé 日本語 🔑"),
        desk.plant("{\"v\":1,\"url\":\"x\"}"), desk.plant("  blanks  "),
      ]
      for password in passwords {
        let place = ["protocol=https", "host=git.example.com"]
        let known = place + ["username=alice", "password=\(password)"]
        expectSilence(try git(desk, "approve", known))
        for named in [[], ["username=alice"]] {
          let filled = try git(desk, "fill", place + named)
          #expect(filled.status == 0, "\(filled.stderr)")
          #expect(filled["username"] == "alice" && filled["password"] == password)
        }
        try desk.desktop.expectUnchangedItems("another password") {
          let other = place + ["username=alice", "password=\(desk.plant("other"))"]
          expectSilence(try git(desk, "reject", other))
        }
        expectSilence(try git(desk, "reject", known))
        #expect(try desk.desktop.items().isEmpty)
      }
    }
  }

  @Test func `Users of one server, and servers of one host, are kept apart`() throws {
    try Desk.with { desk in
      let host = ["protocol=https", "host=git.example.com"]
      let other = ["protocol=https", "host=git.example.com:8443"]
      for (place, user, rest) in [(host, "alice", "1"), (host, "bob", "2"), (other, "alice", "3")] {
        let known = place + ["username=\(user)", "password=\(desk.plant(rest))"]
        expectSilence(try git(desk, "approve", known))
      }
      #expect(try desk.desktop.items().count == 3)
      #expect(try git(desk, "fill", host + ["username=alice"])["password"] == desk.plant("1"))
      #expect(try git(desk, "fill", host + ["username=bob"])["password"] == desk.plant("2"))
      #expect(try git(desk, "fill", other)["password"] == desk.plant("3"))
      // Nobody is known by that name, and there is no terminal to ask.
      #expect(try git(desk, "fill", host + ["username=carol"]).status != 0)
      let bob = host + ["username=bob", "password=\(desk.plant("2"))"]
      expectSilence(try git(desk, "reject", bob))
      #expect(try git(desk, "fill", host)["username"] == "alice")
      #expect(try git(desk, "fill", other)["username"] == "alice")
    }
  }

  @Test func `A server nobody knows passes in silence`() throws {
    try Desk.with { desk in
      try desk.login()
      let asked = try desk.run(
        ["get"], input: "protocol=https\nhost=github.com\nwwwauth[]=Basic realm=x\n\n")
      #expect(asked.status == 0 && asked.output.isEmpty && asked.messages.isEmpty)
    }
  }

  @Test func `Over http a token is refused, alone with words and in git's chain without`() throws {
    try Desk.with { desk in
      let place = "protocol=http\nhost=git.example.com\n"
      let token = "capability[]=authtype\nauthtype=Bearer\ncredential=\(desk.plant())\n"
      for request in ["username=a\npassword=\(desk.plant())\n", token] {
        for verb in ["get", "store", "erase"] {
          expectFailure(try desk.run([verb], input: place + request), 65, verb)
        }
      }
      for verb in ["get", "store", "erase"] {
        expectSilence(
          try desk.run(
            [verb], input: token + place, environment: ["GIT_EXEC_PATH": "/usr/lib/git-core"]))
      }
      // git says that the terminal is off; of us it must say nothing.
      let filled = try git(desk, "fill", ["protocol=http", "host=git.example.com"])
      #expect(filled.status != 0 && !filled.stderr.contains("coder-cred"))
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `A password that git sends over http is kept for exactly that server`() throws {
    try Desk.with { desk in
      // What git asks for when http.proxy names a proxy that wants one.
      let proxy = ["protocol=http", "host=proxy.corp.example:3128"]
      let password = desk.plant()
      expectSilence(try git(desk, "approve", proxy + ["username=u", "password=\(password)"]))
      #expect(try git(desk, "fill", proxy)["password"] == password)
      for other in [
        ["protocol=http", "host=proxy.corp.example"], ["protocol=https", proxy[1]],
        ["protocol=http", "host=corp.example:3128"],
      ] {
        let filled = try git(desk, "fill", other)
        #expect(filled.status != 0 && !filled.stderr.contains("coder-cred"), "\(other)")
      }
      expectSilence(try git(desk, "reject", proxy + ["username=u", "password=\(password)"]))
      #expect(try desk.desktop.items().isEmpty)
    }
  }
}
