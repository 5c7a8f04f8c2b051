/// Sentences on a terminal, broken between words. What is to be pasted is broken nowhere.
enum LineWrapping {
  /// The words that begin a command in our sentences.
  private static let programs: Set<String> = [
    "coder-cred", "git", "ssh", "systemctl", "dbus-run-session", "(read", "apt", "export", "unset",
    "sudo", "coder", "kill", "chmod", "ln", "*/10", "loginctl", "flatpak", "snap", "bwrap",
  ]

  /// A text in lines of at most so many characters, where a break between words allows that.
  ///
  /// - Parameters:
  ///   - text: one line.
  ///   - columns: how many characters fit.
  ///   - indent: how many blanks the lines after the first begin with.
  /// - Returns: the lines, joined by line feeds.
  static func wrapped(_ text: String, to columns: Int, indent: Int = 0) -> String {
    guard text.count > columns, columns > indent + 20 else { return text }
    var lines: [String] = []
    var line = ""
    for piece in pieces(of: text) {
      if line.allSatisfy({ $0 == " " }) || line.count + 1 + piece.count <= columns {
        line += line.isEmpty ? piece : " " + piece
      } else {
        lines.append(line)
        line = String(repeating: " ", count: indent) + piece
      }
    }
    return (lines + [line]).joined(separator: "\n")
  }

  /// The words, and as one piece each command from its program to the next mark of punctuation.
  private static func pieces(of text: String) -> [String] {
    let words = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      .map { String(Substring($0)) }
    var pieces: [String] = []
    var command: String?
    for word in words {
      if let begun = command {
        command = begun + " " + word
      } else if programs.contains(word) {
        command = word
      } else {
        pieces.append(word)
        continue
      }
      if let last = word.last, ",;:.".contains(last) {
        pieces.append(command ?? "")
        command = nil
      }
    }
    return pieces + (command.map { [$0] } ?? [])
  }
}
