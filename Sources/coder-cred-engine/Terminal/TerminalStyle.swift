import Glibc

/// What the terminal before a person can show: how wide, in which characters, with colour or without.
struct TerminalStyle {
  /// What something on the terminal means to a person.
  enum Attention: String {
    /// They must do something.
    case needed = "31"
    /// They may want to know.
    case worthKnowing = "33"
    /// It is what they look for.
    case heading = "1"
  }

  /// How many characters fit into a line.
  let columns: Int
  private let hasColour: Bool

  /// Looks at the terminal behind a descriptor; nil when there is none.
  init?(of descriptor: Int32, _ environment: Environment) {
    guard isatty(descriptor) != 0 else { return nil }
    var size = winsize()
    let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    columns = isKnown ? Int(size.ws_col) : environment["COLUMNS"].flatMap { Int($0) } ?? 80
    // no-color.org: "when present and not an empty string (regardless of its value)".
    hasColour = environment["NO_COLOR"] == nil && !["dumb", nil].contains(environment["TERM"])
  }

  /// A text that catches the eye, where there is colour.
  func text(_ text: String, _ attention: Attention?) -> String {
    guard hasColour, let attention else { return text }
    return "\u{1B}[\(attention.rawValue)m\(text)\u{1B}[0m"
  }

  /// A text cut to at most so many characters, with a mark where something is missing.
  static func cut(_ text: String, to width: Int) -> String {
    guard text.count > width else { return text }
    let mark = Charset.isUTF8 ? "…" : "..."
    return String(text.prefix(max(0, width - mark.count))) + mark
  }
}
