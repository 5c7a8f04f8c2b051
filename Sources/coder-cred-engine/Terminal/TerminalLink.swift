import Glibc

/// Addresses on a terminal that a click opens.
extension Terminal {
  /// Says an address on a line of its own, set off from the words around it.
  ///
  /// It stands there whole, so that it can be copied; where the terminal is known to understand it, it
  /// is a link as well.
  static func sayAddress(_ url: String, _ environment: Environment) {
    say("")
    if isatty(STDERR_FILENO) != 0, understandsLinks(environment), isPlain(url) {
      // "OSC 8 ; params ; URI ST" begins a link, and the same without a URI ends it:
      // https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
      write("  \u{1B}]8;;\(url)\u{1B}\\\(url)\u{1B}]8;;\u{1B}\\\n")
    } else {
      say("  \(url)")
    }
    say("")
  }

  /// Whether a terminal makes links of OSC 8, by what it says of itself. One that does not know the
  /// sequence may show it as rubbish, so only those known to do so get it.
  static func understandsLinks(_ environment: Environment) -> Bool {
    let kind = environment["TERM"] ?? "dumb"
    if ["xterm-kitty", "alacritty", "foot", "xterm-ghostty", "wezterm", "contour"].contains(where: {
      kind.hasPrefix($0)
    }) {
      return true
    }
    // Between us and the terminal there may be one that is older.
    if ["dumb", "linux", "screen", "tmux"].contains(where: { kind.hasPrefix($0) }) { return false }
    // VTE, of GNOME's and Xfce's terminals: since 0.50.
    if let version = environment["VTE_VERSION"].flatMap({ Int($0) }), version >= 5000 {
      return true
    }
    if let program = environment["TERM_PROGRAM"] {
      return ["vscode", "WezTerm", "iTerm.app", "ghostty", "Hyper", "rio"].contains(program)
    }
    return environment["KONSOLE_VERSION"] != nil || environment["WT_SESSION"] != nil
      || environment["KITTY_WINDOW_ID"] != nil
  }

  /// Whether a URL holds nothing that could end the link, or that a terminal would obey.
  private static func isPlain(_ url: String) -> Bool {
    url.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }
}
