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
  /// - Returns: the lines, joined by line feeds.
  static func wrapped(_ text: String, to columns: Int) -> String {
    guard text.count > columns, columns >= 20 else { return text }
    var lines: [String] = []
    for piece in pieces(of: text) {
      if let last = lines.last, last.count + 1 + piece.count <= columns {
        lines[lines.count - 1] = "\(last) \(piece)"
      } else {
        lines.append(piece)
      }
    }
    return lines.joined(separator: "\n")
  }

  /// Whether these words may follow a program's name in a command: `coder-cred 0.1.0` is none.
  private static func isCommand(_ words: ArraySlice<String>) -> Bool {
    words.first?.first.map { $0.isLetter || "-+(\"*".contains($0) } ?? true
  }

  /// The words, and as one piece each command from its program to the next mark of punctuation.
  private static func pieces(of text: String) -> [String] {
    let words = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      .map { String(Substring($0)) }
    var pieces: [String] = []
    var command: String?
    for (index, word) in words.enumerated() {
      if let begun = command {
        command = begun + " " + word
      } else if programs.contains(word), isCommand(words[(index + 1)...]) {
        command = word
      } else {
        pieces.append(word)
        continue
      }
      // What stands in brackets has marks of its own.
      let ends = command?.hasPrefix("(") ?? false ? ")" : ",;:."
      if let last = word.last, ends.contains(last) {
        pieces.append(command ?? "")
        command = nil
      }
    }
    return pieces + (command.map { [$0] } ?? [])
  }
}
