import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// The keyrings of the desktops, as their programs are.
@Suite(.blocking) struct `Every keyring` {
  enum Keyring: String, CaseIterable {
    case gnomeKeyring, keePassXC, kWallet

    static var expected: [Keyring] { allCases.filter { $0 != .kWallet || KWallet.isExpected } }

    var provider: SecretServiceProvider {
      switch self {
      case .gnomeKeyring: .unlocked
      case .keePassXC: KeePassXC().provider
      case .kWallet: KWallet().provider
      }
    }
  }

  @Test(arguments: Keyring.expected)
  func `Passwords and sessions are kept, read, refreshed and removed`(keyring: Keyring) throws {
    try Desk.with(keyring.provider) { desk in
      try keepsPasswords(desk)
      try desk.login()
      let first = try desk.token()
      #expect(try desk.run(["refresh", desk.url]).status == 0)
      let second = try desk.token()
      #expect(first != second)
      for _ in 0..<10 {
        #expect(try desk.token() == second)
        let read = try desk.run(["token", desk.url], environment: ["CODER_CRED_ENGINE": "1"])
        #expect(read.lines == [second], "\(read.stderr)")
      }
      // The fast path answers by itself: here is no full program to hand over to.
      let alone = "\(desk.directory)/home/coder-cred"
      #expect(try desk.desktop.run("cp", [desk.program, alone]).status == 0)
      var answered = try desk.desktop.run(alone, ["token", desk.url])
      // More than half a second of delay makes it hand over, and here is nobody (70).
      for _ in 1...5 where answered.status == 70 {
        answered = try desk.desktop.run(alone, ["token", desk.url])
      }
      #expect(answered.lines == [second], "\(answered.stderr)")
      #expect(try desk.run(["list"]).stdout.contains(desk.url))
      #expect(try desk.run(["status", desk.url]).status == 0)
      try desk.login()
      #expect(try desk.sessions().map(\.account) == ["alice"])
      #expect(try desk.run(["logout", desk.url]).status == 0)
      expectFailure(try desk.run(["token", desk.url]), 1)
      #expect(desk.deployment.refreshes.count == 1)
    }
  }

  private func keepsPasswords(_ desk: Desk) throws {
    func store(_ user: String, _ password: String) throws {
      expectSilence(
        try desk.run(["store"], input: git("username=\(user)\npassword=\(password)\n")), user)
    }
    try store("alice", desk.plant())
    try store("alice", desk.plant("-2"))
    #expect(try desk.run(["get"], input: git(""))["password"] == desk.plant("-2"))
    try store("Jürgen Größe 🦊", desk.plant(#"pä/\\"w"#))
    let odd = try desk.run(["get"], input: git("username=Jürgen Größe 🦊\n"))
    #expect(odd["password"] == desk.plant(#"pä/\\"w"#))
    for user in ["alice", "Jürgen Größe 🦊"] {
      expectSilence(try desk.run(["erase"], input: git("username=\(user)\n")), user)
      #expect(try desk.run(["get"], input: git("username=\(user)\n")).output.isEmpty)
    }
  }

  private func git(_ more: String) -> String { "protocol=https\nhost=git.example.com\n\(more)\n" }

  @Test(arguments: Keyring.expected.filter { $0 != .gnomeKeyring })
  func `Twenty processes at expiry refresh once, and lose no session`(keyring: Keyring) throws {
    try Desk.with(keyring.provider) { desk in
      try desk.login()
      try desk.expire()
      let tokens = try concurrently(20) { try desk.runPatiently(["token", desk.url]).stdout }
      #expect(Set(tokens).count == 1)
      #expect(desk.deployment.refreshes.count == 1)
      #expect(try desk.token() + "\n" == tokens[0])
    }
  }

  @Test func `A KeePassXC that is killed after a refresh has kept it, or says what is lost`() throws
  {
    let keePassXC = KeePassXC()
    try Desk.with(keePassXC.provider) { desk in
      try desk.login()
      #expect(try desk.run(["refresh", desk.url]).status == 0)
      let token = try desk.token()
      desk.desktop.stopKeyring()
      expectFailure(try desk.run(["token", desk.url]), 69)
      try keePassXC.restart(desk.desktop)
      // It writes a moment after it has answered. One that came back as it was before the refresh still
      // has a token whose time has not passed; that it is refused leads a tool to the refresh.
      if try desk.run(["token", desk.url]).lines == [token] { return }
      expectFailure(try desk.run(["refresh", desk.url]), 1, saying: "coder-cred login")
      try desk.login()
      try desk.token()
    }
  }

  @Test(arguments: Keyring.expected)
  func `A keyring that went back to before a refresh is found out, and keeps nobody stuck`(
    keyring: Keyring
  ) throws {
    try Desk.with(keyring.provider) { desk in
      try desk.login()
      let before = try desk.desktop.item()
      #expect(try desk.run(["refresh", desk.url]).status == 0)
      try desk.desktop.overwrite(desk.desktop.item(), with: before.secret)
      let token = try desk.run(["refresh", desk.url])
      expectFailure(token, 1, saying: "no longer accepts the session")
      expectFailure(try desk.run(["token", desk.url]), 1, saying: "coder-cred login")
      try desk.login()
      try desk.token()
    }
  }

  @Test(arguments: Keyring.expected)
  func `What a person renames, edits or deletes in their key manager is dealt with`(
    keyring: Keyring
  ) throws {
    try Desk.with(keyring.provider) { desk in
      try desk.login()
      let label = try desk.desktop.item().label
      #expect(label == "alice @ \(desk.url.dropFirst("http://".count)) (Coder)")
      // A name of their own works, until the item is next saved.
      try desk.desktop.edit(desk.desktop.item(), .rename("My token"))
      try desk.token()
      #expect(try desk.desktop.item().label == "My token")
      #expect(try desk.run(["refresh", desk.url]).status == 0)
      #expect(try desk.desktop.item().label == label)
      // What they write is theirs, and reported by its name.
      let own = try desk.desktop.item()
      try desk.desktop.overwrite(own, with: "something of mine")
      expectFailure(try desk.run(["token", desk.url]), 65, saying: "the keyring item “\(label)”")
      #expect(try desk.run(["list"]).stdout.contains("unreadable"))
      #expect(try desk.desktop.item().secret == "something of mine")
      try desk.desktop.overwrite(own, with: own.secret)
      try desk.token()
      // What they delete is gone.
      try desk.desktop.edit(own, .delete)
      expectFailure(try desk.run(["token", desk.url]), 1, saying: "coder-cred login")
      try desk.login()
      try desk.token()
    }
  }

  @Test func `On dbus-broker sessions are kept, read, refreshed and removed`() throws {
    try Desk.with(bus: .broker) { desk in
      try desk.login()
      let token = try desk.token()
      #expect(try desk.run(["refresh", desk.url]).status == 0)
      #expect(try desk.token() != token)
      #expect(try desk.run(["logout", desk.url]).status == 0)
      expectFailure(try desk.run(["token", desk.url]), 1)
    }
  }

  @Test func `Through a bus proxy sessions are kept and read`() throws {
    try Desk.with { desk in
      desk.environment["DBUS_SESSION_BUS_ADDRESS"] = try desk.desktop.startProxy()
      try desk.login()
      try desk.token()
      #expect(try desk.run(["logout", desk.url]).status == 0)
    }
  }

  private static let hasUserNamespaces: Bool = {
    let result = try? ChildProcess.run(
      "unshare", ["--user", "--map-user=1000", "--map-group=1000", "true"],
      environment: ["PATH": "/usr/bin:/bin"])
    return result?.status == 0
  }()

  @Test(.enabled(if: hasUserNamespaces, "no user namespaces here"))
  func `In a container where we are another user the session is read and written`() throws {
    try Desk.with { desk in
      try desk.login()
      let token = try desk.token()
      for fullProgram in ["0", "1"] {
        let inside = try desk.run(
          "unshare",
          ["--user", "--map-user=1000", "--map-group=1000", desk.program, "token", desk.url],
          environment: ["CODER_CRED_ENGINE": fullProgram])
        #expect(inside.lines == [token], "\(inside.stderr)")
      }
      let refreshed = try desk.run(
        "unshare",
        ["--user", "--map-user=1000", "--map-group=1000", desk.program, "refresh", desk.url])
      #expect(refreshed.status == 0, "\(refreshed.stderr)")
      #expect(try desk.token() != token)
    }
  }

  @Test func `A secret that the keyring has lost is said, and replaced or removed`() throws {
    try Desk.with { desk in
      try desk.login()
      func lose() throws { try desk.desktop.overwrite(desk.desktop.item(), with: "") }
      try lose()
      let token = try desk.run(["token", desk.url])
      #expect(token.status == 1)
      #expect(token.stderr.contains("the keyring has lost what it kept as “alice @"))
      #expect(try desk.run(["list"]).stdout.contains("lost"))
      try desk.login()
      try desk.token()
      try lose()
      #expect(try desk.run(["logout", desk.url]).status == 0)
      #expect(try desk.sessions().isEmpty)
      // A password, by git's verbs.
      try keepPassword(desk, "pw1")
      try lose()
      #expect(try desk.run(["get"], input: git("")).output.isEmpty)
      try keepPassword(desk, "pw2")
      #expect(try desk.run(["get"], input: git(""))["password"] == desk.plant("pw2"))
      try lose()
      #expect(try desk.run(["erase"], input: git("username=alice\n")).status == 0)
      #expect(try desk.sessions().isEmpty)
    }
  }

  private func keepPassword(_ desk: Desk, _ password: String) throws {
    let input = git("username=alice\npassword=\(desk.plant(password))\n")
    #expect(try desk.run(["store"], input: input).status == 0)
    #expect(try desk.desktop.item().label == "alice @ git.example.com (password)")
  }
}
