/// Opens a page in the person's browser.
struct Browser {
  let environment: Environment

  /// Whether a browser would open before the person's eyes: one is named, or there is a desktop,
  /// and nobody came in over SSH.
  var isHere: Bool {
    environment["BROWSER"] != nil || opensOnLocalDisplay
  }

  /// Whether it opens on this machine's own screen, so that it finds the way back here.
  var opensOnLocalDisplay: Bool {
    !isRemote
      && (environment["DISPLAY"] != nil || environment["WAYLAND_DISPLAY"] != nil || isWindows)
  }

  /// The first program that ``open(_:)`` would start, as it is called; nil when there is none.
  var program: String? {
    commands.lazy.compactMap { pieces(of: $0, separator: " ").first }
      .first { ChildProgram.executable(named: $0, environment) != nil }
  }

  private var commands: [String] {
    environment["BROWSER"].map { pieces(of: $0, separator: ":") }
      ?? (isWindows ? ["wslview"] : ["xdg-open"])
  }

  /// Whether the person sits at another machine.
  var isRemote: Bool { environment["SSH_CONNECTION"] != nil || environment["SSH_TTY"] != nil }

  /// Whether this is Linux inside Windows, where `xdg-open` opens folders and not pages.
  private var isWindows: Bool { environment["WSL_DISTRO_NAME"] != nil }

  /// Starts the browser with an `http` or `https` URL: `$BROWSER` (a colon-separated list of
  /// commands, `%s` standing for the URL), else `xdg-open`.
  ///
  /// No shell is involved, nothing is looked for in the working directory, and the browser inherits
  /// neither our descriptors nor variables it has no need for.
  ///
  /// - Returns: whether one could be started.
  func open(_ url: String) -> Bool {
    guard url.hasPrefix("https://") || url.hasPrefix("http://") else { return false }
    return commands.contains { command in
      var words = pieces(of: command, separator: " ")
      guard !words.isEmpty, let executable = ChildProgram.executable(named: words[0], environment)
      else { return false }
      let filled = words.map { $0.replacing("%s", with: url) }
      words = filled == words ? words + [url] : filled
      let variables = environment.variables.filter { Self.isForBrowsers($0.key) }
      return ChildProgram(executable: executable, words: words, variables: variables).start() != nil
    }
  }

  /// What a browser needs to find its display, its profile and its language.
  private static func isForBrowsers(_ name: String) -> Bool {
    [
      "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "DISPLAY", "XAUTHORITY",
      "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "DESKTOP_SESSION", "TMPDIR", "BROWSER",
      "WSL_DISTRO_NAME", "WSL_INTEROP",
    ].contains(name) || name.hasPrefix("LC_") || name.hasPrefix("XDG_") || name.hasPrefix("KDE_")
      || name.hasPrefix("GNOME_")
  }

  private func pieces(of text: String, separator: Unicode.Scalar) -> [String] {
    text.utf8.split(separator: UInt8(ascii: separator)).compactMap(String.init)
  }
}
