import Secrets

/// Text of somebody else that comes in pieces, made fit for a terminal: its lines and tabs stay, and
/// whatever else a terminal would obey is replaced.
struct TerminalText {
  /// The end of the last piece, as long as what it means depends on the next one.
  private var unfinished: [UInt8] = []

  /// Takes a piece.
  ///
  /// - Returns: what can be shown by now.
  mutating func take(_ piece: some Sequence<UInt8>) -> String {
    unfinished += piece
    let count = unfinished.count - Self.unfinishedCount(unfinished)
    defer { unfinished.removeFirst(count) }
    return Self.shown(unfinished[..<count])
  }

  /// Ends the text.
  ///
  /// - Returns: what is still to be shown.
  mutating func end() -> String {
    defer { unfinished = [] }
    return Self.shown(unfinished[...])
  }

  private static func shown(_ bytes: ArraySlice<UInt8>) -> String {
    let newline = UInt8(ascii: "\n")
    let lines = bytes.split(separator: newline, omittingEmptySubsequences: false)
    return lines.enumerated().map { number, line in
      // The end of a line in HTTP's own spelling moves no cursor back over what was shown.
      let isEnded = number < lines.count - 1
      let text = isEnded && line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      return text.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        .map { ForeignText.terminalLine(String(decoding: $0, as: UTF8.self)) }
        .joined(separator: "\t")
    }.joined(separator: "\n")
  }

  /// How many bytes at the end may belong together with the next ones: a carriage return, or the
  /// beginning of a character (RFC 3629 §3).
  private static func unfinishedCount(_ bytes: [UInt8]) -> Int {
    if bytes.last == UInt8(ascii: "\r") { return 1 }
    for (distance, byte) in bytes.suffix(3).reversed().enumerated() {
      switch byte {
      case 0x80...0xBF: continue
      case 0xC2...0xDF: return distance < 1 ? distance + 1 : 0
      case 0xE0...0xEF: return distance < 2 ? distance + 1 : 0
      case 0xF0...0xF4: return distance < 3 ? distance + 1 : 0
      default: return 0
      }
    }
    return 0
  }
}
