import CLinux
import Glibc

/// Opens a page in the person's browser.
struct Browser {
  let environment: Environment

  /// Whether a browser would open before the person's eyes: one is named, or there is a desktop,
  /// and nobody came in over SSH.
  var isHere: Bool {
    if environment["BROWSER"] != nil { return true }
    if isRemote { return false }
    return environment["DISPLAY"] != nil || environment["WAYLAND_DISPLAY"] != nil || isWindows
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
    let commands =
      environment["BROWSER"].map { pieces(of: $0, separator: ":") }
      ?? (isWindows ? ["wslview"] : ["xdg-open"])
    return commands.contains { command in
      var words = pieces(of: command, separator: " ")
      guard !words.isEmpty, let executable = executable(named: words[0]) else { return false }
      if words.contains("%s") {
        words = words.map { $0 == "%s" ? url : $0 }
      } else {
        words.append(url)
      }
      return start(executable, words)
    }
  }

  private func executable(named name: String) -> String? {
    if name.hasPrefix("/") { return access(name, X_OK) == 0 ? name : nil }
    // A relative entry of PATH would look into whatever directory we were started in.
    let directories = pieces(of: environment["PATH"] ?? "/usr/bin:/bin", separator: ":")
    return directories.filter { $0.hasPrefix("/") }.map { "\($0)/\(name)" }
      .first { !name.utf8.contains(UInt8(ascii: "/")) && access($0, X_OK) == 0 }
  }

  private func start(_ executable: String, _ words: [String]) -> Bool {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    // A session of its own: Ctrl-C in our terminal is not meant for the browser.
    posix_spawnattr_setflags(&attributes, clinux_spawn_setsid)
    let variables = environment.variables.filter { Self.isForBrowsers($0.key) }
      .map { "\($0.key)=\($0.value)" }
    var child = pid_t()
    return withArray(of: words) { arguments in
      withArray(of: variables) { variables in
        posix_spawn(&child, executable, &actions, &attributes, arguments, variables) == 0
      }
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

  private func withArray<Value>(
    of strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
  ) -> Value {
    var pointers = strings.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    return pointers.withUnsafeMutableBufferPointer { buffer in
      // Never empty: the terminating nil is always there.
      guard let base = buffer.baseAddress else { fatalError("an array with an element is empty") }
      return body(base)
    }
  }
}
