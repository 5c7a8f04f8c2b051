import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A sign-in is completed by the person who began it, and by nobody else.
@Suite(.blocking) struct `A sign-in that others watch` {
  private static let users = DeploymentSimulator.Settings(era: .c, users: ["alice", "mallory"])

  /// A browser that stays open and does nothing.
  private static func idleBrowser(_ desk: Desk) throws -> [String: String] {
    try desk.browserScript("idle", "echo \"$1\" >\(desk.directory)/opened; sleep 60")
  }

  @Test(
    .enabled(if: OtherUser.isAvailable, OtherUser.reason),
    arguments: [[], ["--redirect", "scheme"]], [[:], ["DISPLAY": ":0"]])
  func `puts neither state nor challenge into arguments that others can read`(
    flags: [String], display: [String: String]
  ) throws {
    try Desk.with(.unlocked, Self.users) { desk in
      let somebody = try desk.desktop.startAsOtherUser("sleep", ["60"])
      defer { somebody.terminate() }
      let waiting = try WaitingLogin(
        desk, flags, noBrowser: false,
        environment: Self.idleBrowser(desk).merging(display) { $1 })
      var opened = ""
      waitFor("the browser") {
        opened = (try? String(contentsOfFile: "\(desk.directory)/opened", encoding: .utf8)) ?? ""
        return opened.hasSuffix("\n") && waiting.output.contains("S256\n\n")
      }
      let address = try #require(
        waiting.output.split(separator: "\n").first { $0.contains("code_challenge=") })
      let parameters = URLComponents(string: address.trimmingCharacters(in: .whitespaces))?
        .queryItems?.filter { ["state", "code_challenge"].contains($0.name) }
      let seen = try desk.argumentsSeenByAnotherUser()
      // The other user does see what the browser was started with.
      #expect(seen.contains(opened))
      for parameter in try #require(parameters) {
        let value = try #require(parameter.value)
        #expect(!seen.contains(value), "\(parameter.name)")
      }
    }
  }

  @Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))
  func `is not completed by another user, who has allowed it as somebody else`() throws {
    try Desk.with(.unlocked, Self.users) { desk in
      let waiting = try WaitingLogin(desk)
      let address = try waiting.address()
      let stolen = try desk.deployment.callback(of: address, user: "mallory")
      // At the port of the loopback receiver, by each of its names.
      for host in ["127.0.0.1", "localhost"] {
        let url = stolen.replacingOccurrences(of: "127.0.0.1", with: host)
        #expect(try desk.openAsAnotherUser(url) == "none")
      }
      // At the callback socket.
      let query = try #require(stolen.split(separator: "?").last)
      let script = """
        \(CallbackSocketPeer.connecting)
        s = connect()
        try:
            s.sendall(sys.argv[2].encode())
            s.shutdown(socket.SHUT_WR)
            s.recv(1)
        except OSError:
            pass
        """
      let sent = try desk.desktop.runAsOtherUser(
        "/usr/bin/python3", ["-c", script, waiting.parameter("state"), String(query)])
      #expect(sent.status == 0, "\(sent.stderr)")
      #expect(waiting.process.exit == nil)
      // The person's own browser still can.
      let visit = try desk.deployment.browse(authorizationURL: address, user: "alice")
      #expect(visit.callbackStatus == 200)
      waiting.expectEnd(0, saying: "Signed in to \(desk.url) as alice.")
      #expect(try desk.sessions().map(\.account) == ["alice"])
    }
  }

  @Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))
  func `leads no other user from the start page to the authorization`() throws {
    try Desk.with(.unlocked, Self.users) { desk in
      let somebody = try desk.desktop.startAsOtherUser("sleep", ["60"])
      defer { somebody.terminate() }
      let waiting = try WaitingLogin(
        desk, noBrowser: false, environment: Self.idleBrowser(desk))
      waitFor("the browser") { waiting.output.contains("S256\n\n") }
      var opened = ""
      waitFor("the address") {
        opened = (try? String(contentsOfFile: "\(desk.directory)/opened", encoding: .utf8)) ?? ""
        return opened.hasSuffix("\n")
      }
      let page = opened.trimmingCharacters(in: .newlines)
      #expect(try desk.openAsAnotherUser(page) == "none")
      // Nor is it used up by that, and it leads the person there once.
      let redirect = try Exchange.send("GET", page)
      #expect(redirect.headers["location"]?.hasPrefix("\(desk.url)/oauth2/authorize?") == true)
      #expect(try Exchange.send("GET", page).status == 410)
    }
  }

  @Test func `as another account than before is told`() throws {
    try Desk.with(.unlocked, Self.users) { desk in
      try desk.login()
      let other = try desk.login(as: "mallory")
      #expect(other.message("warning") == "signed in as mallory; before it was alice")
      // Both are there: nothing was lost, and nothing is mistaken for the other.
      #expect(try desk.sessions().map(\.account) == ["alice", "mallory"])
      try desk.token("--account", "alice")
      // Who signs in once more, or was asked for, is no news.
      for flags in [[], ["--account", "mallory"]] {
        let again = try desk.run(
          ["login", desk.url] + flags, environment: desk.browser(["--user", "mallory"]))
        #expect(again.status == 0 && again.message("warning") == nil, "\(again.stderr)")
      }
    }
  }

  @Test(arguments: ["n", "", "y"])
  func `as another account than before is kept only if the person at the terminal says so`(
    reply: String
  ) throws {
    try Desk.with(.unlocked, Self.users) { desk in
      try desk.login()
      desk.deployment.clearLog()
      let browser = try desk.browser(["--user", "mallory"])
      try desk.withTerminal(["login", desk.url, "--method", "oauth"], environment: browser) {
        terminal in
        try terminal.expect(
          "Signed in as mallory; before it was alice. Keep this sign-in, too? [y/N] ")
        terminal.type(reply)
        #expect(terminal.end() == .status(reply == "y" ? 0 : 77))
      }
      #expect(
        try desk.sessions().map(\.account) == (reply == "y" ? ["alice", "mallory"] : ["alice"]))
      #expect(
        desk.deployment.requests.count(method: "POST", path: "/oauth2/revoke")
          == (reply == "y" ? 0 : 1))
      try desk.token("--account", "alice", "--min-ttl", "31536000")
    }
  }

  @Test func `as another account than before is taken back by Ctrl-C`() throws {
    try Desk.with(.unlocked, Self.users) { desk in
      try desk.login()
      desk.deployment.clearLog()
      let browser = try desk.browser(["--user", "mallory"])
      try desk.withTerminal(["login", desk.url, "--method", "oauth"], environment: browser) {
        terminal in
        try terminal.expect("Keep this sign-in, too? [y/N] ")
        terminal.pressControlC()
        #expect(terminal.end() == .signal(SIGINT))
      }
      #expect(try desk.sessions().map(\.account) == ["alice"])
      #expect(desk.deployment.requests.count(method: "POST", path: "/oauth2/revoke") == 1)
      try desk.token("--min-ttl", "31536000")
    }
  }

  @Test func `shows in the browser what is signed in to, and as whom`() throws {
    try Desk.with(.unlocked, Self.users) { desk in
      let name = desk.url.replacingOccurrences(of: "http://", with: "")
      let waiting = try WaitingLogin(desk, ["--account", "alice"])
      let visit = try desk.deployment.browse(authorizationURL: waiting.address(), user: "alice")
      #expect(visit.callbackPage.contains(name))
      #expect(visit.callbackPage.contains("You asked to sign in as alice."))
      waiting.expectEnd(0)
    }
  }

  /// What a shell would run, or would end a word at.
  private static let shellWords = ["$(touch PWNED)", "';touch${IFS}PWNED;'", "!touch*,@(PWNED)"]

  @Test(arguments: shellWords)
  func `hands an opener that goes through a shell nothing that the shell would run`(
    words: String
  ) throws {
    try Desk.with { desk in
      let log = "\(desk.directory)/opened"
      let opener = try desk.browserScript(
        "opener", "cd '\(desk.directory)'; sh -c \"echo $1\" >'\(log)'")
      desk.deployment.inject(
        .mergePatch(#"{"authorization_endpoint":"\#(desk.url)/oauth2/authorize/\#(words)"}"#),
        at: .metadata)
      let waiting = try WaitingLogin(desk, noBrowser: false, environment: opener)
      waitFor("the opener") {
        waiting.process.exit != nil
          || waiting.output.contains("code_challenge_method=S256\n\n")
            && FileManager.default.contents(atPath: log)?.isEmpty == false
      }
      #expect(!FileManager.default.fileExists(atPath: "\(desk.directory)/PWNED"))
      // Those with characters that no URL holds are refused before.
      guard waiting.process.exit == nil else { return }
      let address = try #require(
        waiting.output.split(separator: "\n").first { $0.contains("code_challenge=") })
      #expect(address.allSatisfy { !"$'();!*,@ ".contains($0) || $0 == " " }, "\(address)")
    }
  }
}
