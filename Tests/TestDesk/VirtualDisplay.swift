import Foundation
import Glibc
import Synchronization
package import Testing

/// An X display in memory (Xvfb), with its windows and somebody at the keyboard (xdotool).
///
/// There is no window manager: whoever types says into which window.
package struct VirtualDisplay: Sendable {
  /// What `DISPLAY` says.
  package let name: String
  private let desktop: PrivateDesktop

  /// Starts a display for programs of the desktop; it ends with the desktop.
  package init(on desktop: PrivateDesktop) throws {
    self.desktop = desktop
    let note = Self.note(desktop)
    let server = try desktop.start(
      "Xvfb", ["-displayfd", "1", "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-noreset"],
      log: note)
    try desktop.waitUntilReady("Xvfb", server) { Self.name(desktop) != nil }
    name = Self.name(desktop) ?? ""
  }

  /// The display that was started for the desktop; nil when there is none.
  package init?(of desktop: PrivateDesktop) {
    guard let name = Self.name(desktop) else { return nil }
    (self.name, self.desktop) = (name, desktop)
  }

  /// Where the server writes its number.
  private static func note(_ desktop: PrivateDesktop) -> String { "\(desktop.directory)/display" }

  private static func name(_ desktop: PrivateDesktop) -> String? {
    (try? String(contentsOfFile: note(desktop), encoding: .utf8))?.split(separator: "\n")
      .compactMap { Int($0) }.first.map { ":\($0)" }
  }

  /// The titles of all windows that are shown.
  package func windows() throws -> [String] {
    try xdotool("search", "--onlyvisible", "--name", ".", "getwindowname", "%@").stdout
      .split(separator: "\n").map(String.init)
  }

  /// Does some work, and returns the titles of all windows that were shown meanwhile.
  package func windows(during work: () throws -> Void) throws -> Set<String> {
    let isDone = Atomic(false)
    let watch = Background { [self] in
      var seen: Set<String> = []
      repeat { seen.formUnion(try windows()) } while !isDone.load(ordering: .relaxed)
      return seen
    }
    let result = Result { try work() }
    isDone.store(true, ordering: .relaxed)
    let seen = try watch.value()
    try result.get()
    return seen
  }

  /// Waits until a window with this in its title is shown.
  @discardableResult
  package func waitForWindow(_ title: String) throws -> String {
    var found: String?
    waitFor("a window “\(title)”, there are \((try? windows()) ?? [])") {
      found = try? window(title)
      return found != nil
    }
    return found ?? ""
  }

  /// A window with this in its title; nil when none is shown.
  package func window(_ title: String) throws -> String? {
    try xdotool("search", "--onlyvisible", "--name", title).stdout
      .split(separator: "\n").first.map(String.init)
  }

  /// Types a text and presses a key in a window, which closes it.
  ///
  /// A window that has just been shown may not hear of it yet: then once more, unless the caller sees to
  /// that with one attempt.
  package func type(
    _ text: String, key: String, into window: String, attempts: Int = 4
  ) throws {
    for _ in 0..<attempts {
      guard try xdotool("windowfocus", window).status == 0 else { return }
      if !text.isEmpty { _ = try xdotool("key", "ctrl+a", "type", "--delay", "8", text) }
      _ = try xdotool("key", key)
      guard attempts > 1 else { return }
      if try eventually(timeoutSeconds: 8, { try !isShown(window) }) { return }
    }
    Issue.record("the window stays: \(try windows())")
  }

  /// Whether a window is shown; true where the display does not tell.
  private func isShown(_ window: String) throws -> Bool {
    let shown = try xdotool("search", "--onlyvisible", "--name", ".")
    return shown.timedOut || shown.status != 0 && !shown.stderr.isEmpty
      || shown.stdout.split(separator: "\n").contains { $0 == window }
  }

  /// Writes what is on the screen as a PNG file.
  package func capture(to path: String) throws {
    _ = try desktop.run(
      "import", ["-window", "root", path], environment: ["DISPLAY": name], timeoutSeconds: 20)
  }

  private func xdotool(_ arguments: String...) throws -> CommandResult {
    try desktop.run("xdotool", arguments, environment: ["DISPLAY": name], timeoutSeconds: 10)
  }
}

extension PrivateDesktop {
  /// What Qt programs get: the desktop's display, or that there is none.
  var qtPlatform: [String: String] {
    guard let display = VirtualDisplay(of: self) else { return ["QT_QPA_PLATFORM": "offscreen"] }
    return ["QT_QPA_PLATFORM": "xcb", "DISPLAY": display.name]
  }

  /// Lets gnome-keyring ask on a display, by the prompter of GNOME (gcr).
  package func addPrompter(on display: VirtualDisplay) throws {
    let entry = """
      [D-BUS Service]
      Name=org.gnome.keyring.SystemPrompter
      Exec=/usr/bin/env DISPLAY=\(display.name) /usr/libexec/gcr-prompter

      """
    try Data(entry.utf8).write(to: URL(fileURLWithPath: "\(services)/prompter.service"))
    let reloaded = try run(
      "gdbus",
      [
        "call", "--session", "--dest", "org.freedesktop.DBus", "--object-path",
        "/org/freedesktop/DBus", "--method", "org.freedesktop.DBus.ReloadConfig",
      ])
    guard reloaded.status == 0 else { throw Failure("ReloadConfig: \(reloaded.stderr)") }
  }
}

extension Desk {
  /// Runs every command that may not ask anybody, and expects each to end with 69 and these words, in
  /// less than half the time that the keyring is given to reply, and no window that asks something.
  package func expectNoPrompt(
    on display: VirtualDisplay, saying words: String, isPrompt: (String) -> Bool = { _ in true },
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let commands = [
      ["token", url], ["get", url], ["header", url], ["api", "/api/v2/users/me", "--url", url],
      ["exec", "--url", url, "--", "true"], ["refresh", "--due"], ["get"],
    ]
    let windows = try display.windows {
      for arguments in commands {
        let result = try run(
          arguments, input: arguments.count == 1 ? request() : "", timeoutSeconds: 20,
          sourceLocation: sourceLocation)
        expectFailure(
          result, 69, saying: words, "\(arguments)", sourceLocation: sourceLocation)
      }
    }
    #expect(windows.filter(isPrompt) == [], sourceLocation: sourceLocation)
  }
}
