import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// KeePassXC with what people may have set.
@Suite(.blocking) struct `KeePassXC by its own defaults` {
  private func withDisplay(
    _ keepass: KeePassXC, _ work: (Desk, VirtualDisplay) throws -> Void
  ) throws {
    try Desk.with(keepass.provider) { desk in
      try work(desk, try #require(VirtualDisplay(of: desk.desktop)))
    }
  }

  /// A command that a person runs, with its windows answered, and how it ended.
  @discardableResult
  private func answer(
    _ desk: Desk, _ display: VirtualDisplay, _ arguments: [String], input: String = "",
    status: Int32 = 0, key: @escaping (String) -> String = { _ in "Return" },
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> (said: String, windows: [String]) {
    let log = "\(desk.directory)/\(UUID().uuidString)"
    let command = try desk.desktop.start(
      desk.program, arguments, input: Array(input.utf8), environment: desk.browser(), log: log)
    let windows = try display.answer(until: command, key, sourceLocation: sourceLocation)
    let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
    #expect(
      command.exit == .status(status), "\(arguments): \(said)", sourceLocation: sourceLocation)
    return (said, windows)
  }

  @Test func `Signing in, refreshing and signing out go on once each window is answered`() throws {
    try withDisplay(KeePassXC(confirms: true, hasDisplay: true)) { desk, display in
      try answer(desk, display, ["login", desk.url])
      let setting = "Confirm when passwords are retrieved by clients"
      try desk.expectNoPrompt(
        on: display, saying: setting, isPrompt: VirtualDisplay.isQuestion)
      let refresh = try answer(desk, display, ["refresh", desk.url])
      #expect(!refresh.windows.isEmpty)
      #expect(refresh.said.contains("Refreshed the session"), "\(refresh.said)")
      #expect(desk.deployment.refreshes.count == 1)
      try desk.expectNoPrompt(
        on: display, saying: setting, isPrompt: VirtualDisplay.isQuestion)
      #expect(try desk.run(["list"]).stdout.contains("locked"))
      try answer(desk, display, ["login", desk.url])
      try answer(desk, display, ["logout", desk.url])
      expectFailure(try desk.run(["token", desk.url]), 1)
      #expect(desk.deployment.liveTokenPairs == 0)
    }
  }

  @Test func `Passwords are kept, replaced and erased once each window is answered`() throws {
    try withDisplay(KeePassXC(confirms: true, hasDisplay: true)) { desk, display in
      let request = "protocol=https\nhost=git.example.com\nusername=alice\n"
      for password in [desk.plant("1"), desk.plant("2")] {
        try answer(desk, display, ["store"], input: request + "password=\(password)\n\n")
        expectFailure(try desk.run(["get"], input: request + "\n"), 69)
      }
      try answer(desk, display, ["erase"], input: request + "\n")
      expectSilence(try desk.run(["get"], input: request + "\n"))
    }
  }

  @Test func `A confirmation that is refused ends the command with 69, and changes nothing`() throws
  {
    try withDisplay(KeePassXC(confirms: true, hasDisplay: true)) { desk, display in
      try answer(desk, display, ["login", desk.url])
      desk.deployment.clearLog()
      for arguments in [["refresh", desk.url], ["logout", desk.url]] {
        let refused = try answer(desk, display, arguments, status: 69) { _ in "Escape" }
        #expect(refused.said.contains("the keyring's prompt was dismissed"), "\(refused.said)")
      }
      #expect(desk.deployment.requests.isEmpty)
      #expect(desk.deployment.liveTokenPairs == 1)
    }
  }

  @Test func `What may not be deleted is revoked all the same, and never handed out again`() throws
  {
    try withDisplay(KeePassXC(confirms: true, confirmsRecycling: true, hasDisplay: true)) {
      desk, display in
      try answer(desk, display, ["login", desk.url])
      let logout = try answer(desk, display, ["logout", desk.url], status: 69) { title in
        title.contains("Access Request") ? "Return" : "Escape"
      }
      #expect(logout.windows.contains { !$0.contains("Access Request") }, "\(logout.windows)")
      #expect(desk.deployment.liveTokenPairs == 0)
      let refresh = try answer(desk, display, ["refresh", desk.url], status: 1)
      #expect(refresh.said.contains("the session with \(desk.url) has ended"), "\(refresh.said)")
    }
  }

  @Test(arguments: ["login", "store"])
  func `A locked database is not asked for by get, and opened for who may ask`(verb: String) throws
  {
    try withDisplay(KeePassXC(isOpen: false, hasDisplay: true)) { desk, display in
      try desk.expectNoPrompt(
        on: display, saying: "“passwords” is locked", isPrompt: VirtualDisplay.isQuestion)
      for arguments in [["list"], ["status", desk.url]] {
        expectFailure(try desk.run(arguments), 69, saying: "“passwords” is locked", arguments[0])
      }
      #expect(try display.questions() == [])
      let request = "protocol=https\nhost=git.example.com\nusername=alice\n"
      let arguments = verb == "login" ? [verb, desk.url] : [verb]
      let input = verb == "login" ? "" : request + "password=\(desk.plant())\n\n"
      let dismissed = try answer(desk, display, arguments, input: input, status: 69) { _ in "Escape"
      }
      #expect(dismissed.said.contains("the keyring's prompt was dismissed"), "\(dismissed.said)")
      #expect(desk.deployment.requests.isEmpty)
      let log = "\(desk.directory)/log-\(verb)"
      let command = try desk.desktop.start(
        desk.program, arguments, input: Array(input.utf8), environment: desk.browser(), log: log)
      let window = try display.waitForWindow("Unlock")
      try display.type(desk.desktop.password, key: "Return", into: window)
      let exit = command.waitForExit()
      #expect(exit == .status(0), "\((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")")
      if verb == "login" { try desk.token() }
      if verb == "store" {
        #expect(try desk.run(["get"], input: request + "\n")["password"] == desk.plant())
      }
    }
  }

  @Test func `Without an exposed group there is no default keyring, at once`() throws {
    try Desk.with(KeePassXC(exposesGroup: false).provider) { desk in
      for arguments in [["token", desk.url], ["get", desk.url], ["list"]] {
        expectFailure(
          try desk.run(arguments), 69, saying: "there is no default keyring", arguments[0])
      }
    }
  }
}
