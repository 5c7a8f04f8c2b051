import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What a person reads of what is stored.
@Suite(.blocking) struct `list and status on a terminal` {
  private static let git = "protocol=https\nhost=git.example.com\nusername=a\npassword="

  private func shown(
    _ desk: Desk, _ arguments: [String], _ environment: [String: String] = [:], status: Int32 = 0
  ) throws -> String {
    try desk.shown(arguments, environment: environment, status: status)
  }

  private let plain = ["NO_COLOR": "1"]

  /// The lines that hold these words.
  private func lines(_ text: String, with words: String) -> [String] {
    text.split(separator: "\n").map(String.init).filter { $0.contains(words) }
  }

  @Test func `An empty list says how to sign in, on a terminal alone`() throws {
    try Desk.with { desk in
      #expect(
        try shown(desk, ["list"], ["TERM": "dumb"])
          == "Nobody is signed in. To sign in: coder-cred login URL\n")
      expectSilence(try desk.run(["list"]))
    }
  }

  @Test func `Passwords kept for git stand apart from deployments`() throws {
    try Desk.withSession { desk in
      try desk.run(["store"], input: Self.git + desk.plant() + "\n")
      let text = try shown(desk, ["list"], plain)
      let parts = text.split(separator: "Passwords kept for git\n")
      try #require(parts.count == 2, "\(text)")
      #expect(parts[0].contains(desk.url) && !parts[0].contains("git.example.com"))
      #expect(parts[1].contains("https://git.example.com") && !parts[1].contains(desk.url))
      let status = try desk.run(["status"]).stdout
      #expect(status.contains("\nhttps://git.example.com (password kept for git)\n"))
    }
  }

  @Test func `Times are local, and tell how far away they are`() throws {
    try Desk.withSession { desk in
      let now = Date().timeIntervalSince1970
      let item = try #require(try desk.sessions().first)
      try desk.desktop.change(item, ["expires_at": Int(now) + 3 * 3600 + 120])
      let format = DateFormatter()
      format.locale = Locale(identifier: "en_US_POSIX")
      format.dateFormat = "yyyy-MM-dd HH:mm"
      for zone in ["Asia/Kathmandu", "UTC"] {
        format.timeZone = TimeZone(identifier: zone)
        let expiry = format.string(from: Date(timeIntervalSince1970: now.rounded(.down) + 10_920))
        let wanted = "\(expiry) (in 3 h)"
        #expect(try shown(desk, ["list"], ["TZ": zone]).contains(wanted))
        let status = try desk.run(["status"], environment: ["TZ": zone]).stdout
        #expect(status.contains("  expires:    \(wanted), renews automatically\n"), "\(status)")
        #expect(status.contains("  session:    ends ") && status.contains("(in 7 days) unless"))
      }
    }
  }

  @Test func `The default is marked, and so is the active account of several`() throws {
    try Desk.with(.unlocked, .init(era: .c, users: ["alice", "bob"])) { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      try desk.login(as: "alice")
      try desk.login(to: other.url)
      #expect(!(try shown(desk, ["list"], plain)).contains("*"))
      try desk.login(as: "bob")
      #expect(try desk.run(["use", desk.url]).status == 0)
      let text = try shown(desk, ["list"], plain)
      let marked = lines(text, with: "*  ")
      #expect(marked.count == 1 && marked.first?.contains("bob (active)") == true, "\(text)")
      #expect(text.contains("* meant when no URL is given\n"))
      #expect(lines(text, with: other.url).allSatisfy { !$0.contains("active") })
      let status = try desk.run(["status"]).stdout
      #expect(status.contains("\(desk.url) (default)\n  account:    bob (active)\n"))
    }
  }

  @Test func `What will be renewed is not called due, and nobody has to do anything`() throws {
    try Desk.withSession { desk in
      try desk.expire()
      desk.deployment.expireAccessTokens()
      let text = try shown(desk, ["list"], plain)
      #expect(text.contains("renews when used") && !text.contains("due"))
      let status = try desk.run(["status", "--check"])
      #expect(status.status == 0)
      #expect(status.stdout.contains("  state:      expired, renews at the next use\n"))
      #expect(status.stdout.contains("  check:      expired, Coder v"))
      #expect(status.stdout.contains("  to do:      nothing\n"))
      #expect(!status.stdout.contains("refreshed:"))
    }
  }

  @Test func `What a person must do is said, as a command`() throws {
    try Desk.withSession { desk in
      let item = try #require(try desk.sessions().first)
      let login = "coder-cred login \(desk.url) --account alice"
      try desk.desktop.change(item, ["expires_at": 1, "refresh_token": NSNull()])
      let ended = try desk.run(["status"])
      #expect(ended.status == 1 && ended.message("hint") == login)
      #expect(ended.stdout.contains("  to do:      \(login)\n"))
      #expect(
        try shown(desk, ["list"], plain).contains("To do:\n  alice at \(desk.url): \(login)\n"))
      let now = Int(Date().timeIntervalSince1970)
      try desk.desktop.change(
        item, ["expires_at": now - 520_200, "issued_at": now - 606_600, "refresh_token": "r"])
      let ending = try desk.run(["status"]).stdout
      #expect(
        ending.contains("to do:      use it before it ends in 23 h: coder-cred refresh \(desk.url)")
      )
      try desk.desktop.change(item, ["expires_at": now + 86_400, "issued_at": now])
      desk.deployment.revokeGrant()
      let refused = try desk.run(["status", "--check"])
      #expect(refused.status == 1)
      #expect(refused.stdout.contains("check:      refused by the deployment"))
      #expect(
        refused.stdout.contains("  to do:      coder-cred refresh \(desk.url) --account alice\n"))
    }
  }

  @Test func `A locked keyring shows what can be known, and how to go on`() throws {
    try Desk.withSession { desk in
      try desk.desktop.lock()
      let text = try shown(desk, ["list"], plain)
      #expect(text.contains("alice") && text.contains("locked"))
      #expect(text.contains("unlock it in your keyring application"))
      let piped = try desk.run(["list"])
      #expect(piped.status == 0)
      #expect(piped.message("warning")?.contains("unlock it in your keyring") == true)
      #expect(try desk.run(["status"]).stdout.contains("unlock it in your keyring application"))
    }
  }

  @Test func `An item that cannot be read says how to be rid of it`() throws {
    try Desk.withSession { desk in
      let item = try #require(try desk.sessions().first)
      try desk.desktop.overwrite(item, with: "open sesame")
      let removal = "coder-cred logout \(desk.url) --account alice --force"
      #expect(try shown(desk, ["list"], plain).contains(removal))
      #expect(try desk.run(["status"]).stdout.contains("  state:      unreadable"))
      #expect(try desk.run(["status"]).stdout.contains(removal))
      for arguments in [["token", desk.url], ["logout", desk.url], ["login", desk.url]] {
        let result = try desk.run(arguments)
        #expect(result.status == 65 && result.stderr.contains(removal), "\(arguments)")
      }
      for verb in ["get", "erase"] {
        let result = try desk.run([verb], input: desk.request("username=alice"))
        #expect(result.status == 65 && result.stderr.contains(removal), "\(verb)")
      }
    }
  }

  @Test func `Long values are cut to the width of the terminal`() throws {
    try Desk.withSession { desk in
      let item = try #require(try desk.sessions().first)
      let long = String(repeating: "scope ", count: 60)
      try desk.desktop.change(item, ["scope": long])
      try desk.login("--account", "alice")
      for columns in [50, 60, 80] {
        // Without a progress line, which a slow machine would show.
        let environment = plain.merging(["COLUMNS": "\(columns)", "TERM": "dumb"]) { $1 }
        for arguments in [["list"], ["status"]] {
          let text = try shown(desk, arguments, environment)
          let widest =
            text.split(separator: "\n").filter { !$0.contains("coder-cred") }
            .map(\.count).max() ?? 0
          #expect(widest <= columns, "\(text)")
        }
      }
      try desk.desktop.change(try #require(try desk.sessions().first), ["scope": long])
      #expect(try shown(desk, ["status"], plain).contains("…"))
      #expect(try desk.run(["status"]).stdout.contains(long.dropLast()))
    }
  }

  @Test func `Colour is for a terminal that has it, and for people who want it`() throws {
    try Desk.withSession { desk in
      try desk.desktop.change(
        try #require(try desk.sessions().first), ["expires_at": 1, "refresh_token": NSNull()])
      let red = "\u{1B}[31m"
      #expect(try shown(desk, ["list"]).contains("\(red)ended, sign in\u{1B}[0m"))
      #expect(try shown(desk, ["status"], status: 1).contains("\(red)ended\u{1B}[0m"))
      for environment in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
        #expect(!(try shown(desk, ["list"], environment)).contains(/\u{1B}\[[0-9;]*m/))
      }
      #expect(try !desk.run(["list"]).stdout.contains("\u{1B}"))
      #expect(try !desk.run(["status"]).stdout.contains("\u{1B}"))
    }
  }

  @Test func `In the C locale everything is ASCII`() throws {
    try Desk.withSession { desk in
      try desk.run(
        ["store"], input: "protocol=https\nhost=git.example.com\nusername=Jos\u{E9}\npassword=p\n")
      let ascii = ["LC_ALL": "C", "COLUMNS": "50"]
      for arguments in [["list"], ["status"]] {
        let text = try shown(desk, arguments, ascii)
        #expect(text.utf8.allSatisfy { $0 < 0x80 }, "\(text)")
        #expect(text.contains("Jos?"))
      }
      try desk.desktop.lock()
      let locked = try desk.run(["token", desk.url], environment: ascii)
      #expect(locked.status == 69 && locked.errors.allSatisfy { $0 < 0x80 }, "\(locked.stderr)")
      for arguments in [
        ["doctor"], ["doctor", "--json"], ["use"], ["lgoin"], ["token", "http://ü"],
      ] {
        let result = try desk.run(arguments, environment: ascii)
        #expect((result.output + result.errors).allSatisfy { $0 < 0x80 }, "\(result)")
      }
      let dumped = try desk.run(["--experimental-dump-help"], environment: ascii).object()
      let command = try #require(dumped["command"] as? [String: Any])
      let commands = try #require(command["subcommands"] as? [[String: Any]])
      for name in commands.compactMap({ $0["commandName"] as? String }) + ["config set"] {
        let words = name.split(separator: " ").map(String.init)
        let help = try desk.run(words + ["--help"], environment: ascii)
        #expect(help.status == 0 && help.output.allSatisfy { $0 < 0x80 }, "\(help.stdout)")
      }
      let unicode = try shown(desk, ["list"], ["LC_ALL": "C.UTF-8"])
      #expect(unicode.contains("Jos\u{E9}") || unicode.contains("locked"))
    }
  }
}
