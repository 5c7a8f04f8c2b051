import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A locked gnome-keyring on a desktop with a display and GNOME's own prompter.
@Suite(.blocking) struct `A locked keyring that asks` {
  private static let window = "Unlock Login Keyring"

  private func withDisplay(_ work: (Desk, VirtualDisplay) throws -> Void) throws {
    try Desk.with(.locked) { desk in
      let display = try VirtualDisplay(on: desk.desktop)
      try desk.desktop.addPrompter(on: display)
      try work(desk, display)
    }
  }

  /// Starts a command, waits for the prompt, presses a key in it, and returns how the command ended
  /// and what it said.
  private func answer(
    _ desk: Desk, _ display: VirtualDisplay, _ arguments: [String], input: String = "",
    typing text: String, key: String
  ) throws -> (exit: ChildProcess.Exit?, said: String) {
    let log = "\(desk.directory)/\(UUID().uuidString)"
    let command = try desk.desktop.start(
      desk.program, arguments, input: Array(input.utf8), environment: try desk.browser(), log: log)
    let window = try display.waitForWindow(Self.window)
    // It is said to whoever has not replied within a moment.
    waitFor("the words") {
      let said = try? String(contentsOfFile: log, encoding: .utf8)
      return said?.contains("Waiting for you") ?? false
    }
    try display.type(text, key: key, into: window)
    let exit = command.waitForExit()
    return (exit, (try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
  }

  @Test func `A command that may not ask opens no window, and one that may waits for it`() throws {
    try withDisplay { desk, display in
      try desk.expectNoPrompt(on: display, saying: "“Login” is locked")
      let login = try answer(
        desk, display, ["login", desk.url], typing: desk.desktop.password, key: "Return")
      #expect(login.exit == .status(0), "\(login.said)")
      #expect(login.said.contains("Waiting for you to unlock the keyring “Login”"))
      try desk.token()
    }
  }

  @Test func `A prompt that is dismissed ends the command with 69, and changes nothing`() throws {
    try withDisplay { desk, display in
      let login = try answer(desk, display, ["login", desk.url], typing: "", key: "Escape")
      #expect(login.exit == .status(69), "\(login.said)")
      #expect(login.said.contains("coder-cred: error: the keyring's prompt was dismissed"))
      #expect(desk.deployment.requests.isEmpty)
      #expect(desk.desktop.secretService?.exit == nil)
    }
  }

  private let request = "protocol=https\nhost=git.example.com\nusername=alice\n"

  @Test func `git's store waits for the prompt, too, and keeps nothing when it is dismissed`()
    throws
  {
    try withDisplay { desk, display in
      let input = request + "password=\(desk.plant())\n\n"
      let dismissed = try answer(
        desk, display, ["store"], input: input, typing: "", key: "Escape")
      #expect(dismissed.exit == .status(69), "\(dismissed.said)")
      expectFailure(try desk.run(["get"], input: request + "\n"), 69)
      let stored = try answer(
        desk, display, ["store"], input: input, typing: desk.desktop.password, key: "Return")
      #expect(stored.exit == .status(0), "\(stored.said)")
      #expect(try desk.run(["get"], input: request + "\n")["password"] == desk.plant())
      #expect(try desk.desktop.items().count == 1)
    }
  }

  @Test(.enabled(if: isFullRun, "takes two minutes; CODER_CRED_FULL=1 runs it"))
  func `A prompt that nobody answers is given up with 69, and the keyring lives on`() throws {
    try withDisplay { desk, display in
      let log = "\(desk.directory)/unanswered"
      let login = try desk.start(["login", desk.url], environment: try desk.browser(), log: log)
      let window = try display.waitForWindow(Self.window)
      #expect(login.waitForExit(timeoutSeconds: 150) == .status(69))
      let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
      #expect(said.contains("nobody answered the keyring's prompt in time"), "\(said)")
      #expect(desk.deployment.requests.isEmpty)
      #expect(desk.desktop.secretService?.exit == nil)
      // A late answer still counts.
      try display.type(desk.desktop.password, key: "Return", into: window)
      waitFor("the late answer") { (try? desk.run(["list"]).status) == 0 }
      try desk.login()
    }
  }
}
