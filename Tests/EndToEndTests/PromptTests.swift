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
    _ desk: Desk, _ display: VirtualDisplay, _ arguments: [String], typing text: String,
    key: String
  ) throws -> (exit: ChildProcess.Exit?, said: String) {
    let log = "\(desk.directory)/\(arguments[0])-log"
    let command = try desk.start(arguments, environment: try desk.browser(), log: log)
    let window = try display.waitForWindow(Self.window)
    // It is said to whoever has not replied within a moment.
    waitFor("the words") {
      let said = try? String(contentsOfFile: log, encoding: .utf8)
      return said?.contains("Waiting for you") ?? false
    }
    try display.type(text, key: key, into: window)
    let exit = command.waitForExit(timeoutSeconds: 30)
    return (exit, (try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
  }

  @Test func `A command that may not ask opens no window, and one that may waits for it`() throws {
    try withDisplay { desk, display in
      for arguments in [["token", desk.url], ["get", desk.url], ["header", desk.url]] {
        expectFailure(try desk.run(arguments), 69, saying: "“Login” is locked", arguments[0])
      }
      #expect(try display.windows().isEmpty)
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
}
