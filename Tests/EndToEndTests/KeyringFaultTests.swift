import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Keyrings that are not there, not open, or hold what we did not write.
@Suite(.blocking) struct `A keyring in the way` {
  private let stored = "protocol=https\nhost=git.example.com\nusername=alice\n"

  @Test(arguments: [SecretServiceProvider.withoutBus, .withoutService])
  func `Without a Secret Service every verb ends with 69, and login asks nobody`(
    kind: SecretServiceProvider
  ) throws {
    try Desk.with(kind) { desk in
      let request = stored + "password=\(desk.plant())\n\n"
      for verb in ["get", "store", "erase"] {
        expectFailure(try desk.run([verb], input: request), 69, verb)
      }
      for arguments in [["get", desk.url], ["token", desk.url], ["header", desk.url], ["list"]] {
        expectFailure(try desk.run(arguments), 69, "\(arguments)")
      }
      expectFailure(try desk.run(["login", desk.url], environment: try desk.browser()), 69)
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test func `Without a collection nothing is known, and nothing can be kept`() throws {
    try Desk.with(.withoutCollection) { desk in
      expectFailure(try desk.run(["get", desk.url]), 69)
      expectFailure(
        try desk.run(["store"], input: stored + "password=\(desk.plant())\n\n"), 69)
      expectFailure(try desk.run(["login", desk.url], environment: try desk.browser()), 69)
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test func `An item that KWallet left empty is made again, and is no loss to tell of`() throws {
    try Desk.with(.fake([.firstNewItemEmpty], [])) { desk in
      expectSilence(try desk.run(["store"], input: stored + "password=\(desk.plant())\n\n"))
      let kept = try desk.run(["get"], input: stored + "\n")
      #expect(kept["password"] == desk.plant() && kept.errors.isEmpty, "\(kept.stderr)")
    }
  }

  @Test(arguments: [false, true])
  func `A locked keyring ends every verb but list with 69, and readers prompt nobody`(
    afterRestart: Bool
  ) throws {
    try Desk.with { desk in
      try desk.login()
      #expect(
        try desk.run(["store"], input: stored + "password=\(desk.plant())\n\n").status == 0)
      let before = try desk.desktop.items()
      if afterRestart {
        try desk.desktop.restartKeyring(unlock: false)
      } else {
        try desk.desktop.lock()
      }
      let watch = "\(desk.directory)/prompts"
      let monitor = try desk.desktop.start(
        "dbus-monitor", ["--session", "interface='org.freedesktop.Secret.Prompt'"], log: watch)
      waitFor("the monitor") {
        FileManager.default.contents(atPath: watch)?.isEmpty == false
      }
      desk.deployment.clearLog()
      expectFailure(try desk.run(["get"], input: stored + "\n"), 69)
      for verb in ["get", "token", "header"] {
        expectFailure(try desk.run([verb, desk.url]), 69, saying: "locked", verb)
      }
      let listed = try desk.run(["list"])
      #expect(listed.status == 0, "\(listed.stderr)")
      #expect(listed.lines.filter { $0.contains("locked") }.count == 2, "\(listed.stdout)")
      // Before it was first unlocked, gnome-keyring does not tell what its items are.
      let hidden = listed.lines.filter { $0.hasPrefix("-  ") }.count
      #expect(listed.stdout.contains(desk.url) == !afterRestart, "\(listed.stdout)")
      #expect(hidden == (afterRestart ? 2 : 0), "\(listed.stdout)")
      if afterRestart { expectFailure(try desk.run(["token"]), 69, saying: "locked") }
      desk.desktop.end(monitor)
      let seen = String(
        decoding: FileManager.default.contents(atPath: watch) ?? Data(), as: UTF8.self)
      #expect(!seen.contains("member=Prompt"))
      // Writers ask, and nothing here can show their question.
      for secret in ["", "password=\(desk.plant())\n", "password=\(desk.plant("other"))\n"] {
        for verb in ["store", "erase"] where verb != "store" || !secret.isEmpty {
          // Where that takes more than a moment, it is said that somebody is waited for.
          let result = try desk.run([verb], input: stored + secret + "\n")
          expectLoginFailure(result, 69, verb)
          #expect(result.stderr.contains("dismissed"), "\(verb): \(result.stderr)")
        }
      }
      try desk.desktop.unlock()
      #expect(try desk.desktop.items() == before)
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test
  func `A session in another keyring that is locked is neither revoked nor removed by halves`()
    throws
  {
    try Desk.with { desk in
      try desk.login()
      let archive = try desk.desktop.makeCollection("Archive")
      try desk.desktop.move(desk.desktop.item().label, to: archive)
      let before = try desk.desktop.items()
      try desk.desktop.lock(archive)
      desk.deployment.clearLog()
      expectFailure(try desk.run(["token", desk.url]), 69, saying: "“Archive” is locked")
      for arguments in [["logout", desk.url], ["logout", "--all"], ["refresh", desk.url]] {
        let result = try desk.run(arguments)
        #expect(result.status == 69, "\(arguments): \(result.stderr)")
      }
      expectLoginFailure(try desk.run(["erase"], input: desk.request()), 69)
      #expect(desk.deployment.requests.isEmpty)
      try desk.desktop.unlock(archive)
      #expect(try desk.desktop.items() == before)
      try desk.token()
      #expect(try desk.run(["logout", desk.url]).status == 0)
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `A locked session beside one that has ended does not keep its notification away`()
    throws
  {
    try Desk.withSession { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      try desk.login(to: other.url)
      try desk.age()
      desk.deployment.revokeGrant()
      let session = try #require(
        try desk.sessions().first { $0.attributes["deployment"] == other.url })
      let archive = try desk.desktop.makeCollection("Archive")
      try desk.desktop.move(session.label, to: archive)
      try desk.desktop.lock(archive)
      let server = try NotificationServer(desk.desktop, .dismiss)
      let result = try desk.run(["refresh", "--due"], environment: ["DISPLAY": ":77"])
      #expect(result.status == 69)
      #expect(result.stderr.contains("“Archive” is locked"), "\(result.stderr)")
      #expect(result.stderr.contains("\(desk.url) no longer accepts"), "\(result.stderr)")
      waitFor("the notification") { server.shown.first?.body.contains(desk.url) == true }
    }
  }

  @Test
  func `What others wrote under our attributes is reported, and never used, lost or replaced`()
    throws
  {
    try Desk.with { desk in
      let payloads = [
        "not JSON at all", "{}", "[1]", #"{"v":1,"url":"\#(desk.url)"}"#,
        #"{"v":1,"url":"https://evil.example.com","account":"alice","method":"oauth","#
          + #""access_token":"\#(desk.plant())"}"#,
        #"{"v":1,"url":"\#(desk.url)","account":"mallory","method":"oauth","#
          + #""access_token":"\#(desk.plant())"}"#,
        #"{"v":1,"url":"\#(desk.url)","account":"alice","method":"oauth","#
          + #""access_token":"\#(desk.plant())\ntwo lines"}"#,
      ]
      for payload in payloads {
        try desk.desktop.storeAsOtherApplication(payload, label: "Session", attributes(desk))
        try refusesEverything(desk, payload)
      }
    }
  }

  @Test func `What a newer version wrote is reported, and kept for it`() throws {
    try Desk.with { desk in
      try desk.login()
      for kind in ["session", "client"] {
        let newer = #"{"v":2,"url":"\#(desk.url)","sealed":"\#(desk.plant())"}"#
        let own = try desk.desktop.item(["kind": kind])
        try desk.desktop.overwrite(own, with: newer)
        desk.deployment.clearLog()
        try desk.desktop.expectUnchangedItems("a newer \(kind)") {
          if kind == "session" { try refusesEverything(desk, kind) }
          let login = try desk.run(["login", desk.url], environment: try desk.browser())
          expectFailure(login, 65, saying: "newer", kind)
          #expect(desk.deployment.requests.isEmpty)
          if kind == "client" {
            expectFailure(
              try desk.run(["get", desk.url, "--min-ttl", "31536000"]), 65, saying: "newer", kind)
            #expect(desk.deployment.requests.isEmpty)
          }
        }
        try desk.desktop.overwrite(own, with: own.secret)
      }
      #expect(try desk.run(["get", desk.url]).status == 0)
    }
  }

  private func attributes(_ desk: Desk) -> [String: String] {
    [
      "application": "coder-cred", "kind": "session", "deployment": desk.url, "account": "alice",
    ]
  }

  /// Every verb, with and without a secret and a name, reports the item and leaves it.
  private func refusesEverything(_ desk: Desk, _ what: String) throws {
    try desk.desktop.expectUnchangedItems(what) {
      for more in ["", "username=alice", "username=alice\npassword=\(desk.plant())"] {
        for verb in ["get", "store", "erase"] where verb != "store" || more.contains("password") {
          expectFailure(try desk.run([verb], input: desk.request(more)), 65, "\(verb) \(what)")
        }
      }
      for verb in ["get", "token", "header", "login"] {
        let result = try desk.run([verb, desk.url], environment: desk.browser())
        expectFailure(result, 65, "\(verb) \(what)")
      }
      let listed = try desk.run(["list"])
      #expect(listed.status == 0 && listed.stdout.contains("unreadable"), "\(listed.stdout)")
    }
  }
}
