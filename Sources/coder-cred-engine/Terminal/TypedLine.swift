/// A line as keys build it: letters, deletions, and what a terminal sends for other keys.
struct TypedLine {
  /// What a key did.
  enum Effect: Equatable {
    /// Nothing that matters.
    case none
    /// The line has changed.
    case changed
    /// The line is ended.
    case ended
    /// There will be no line: Ctrl-D where nothing was typed.
    case noMore
  }

  private enum Sequence { case none, escape, control }

  /// What was typed, without what was deleted.
  private(set) var bytes: [UInt8] = []
  private var sequence = Sequence.none

  /// Takes the next byte from the keyboard.
  mutating func take(_ byte: UInt8) -> Effect {
    switch (sequence, byte) {
    // ECMA-48 §5.4: CSI, parameters, and a final byte of 04/00 to 07/14. Arrow keys send such, and
    // terminals around what is pasted.
    case (.escape, UInt8(ascii: "[")), (.escape, UInt8(ascii: "O")): sequence = .control
    case (.escape, _): sequence = .none
    case (.control, 0x40...0x7E): sequence = .none
    case (.control, _): break
    case (.none, 0x1B): sequence = .escape
    case (.none, _): return takeKey(byte)
    }
    return .none
  }

  private mutating func takeKey(_ byte: UInt8) -> Effect {
    switch byte {
    case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return .ended
    case 0x04: return bytes.isEmpty ? .noMore : .none
    // Backspace, by both of its codes: a whole character (RFC 3629 §3).
    case 0x08, 0x7F:
      while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
    // Ctrl-U and Ctrl-W.
    case 0x15, 0x17: bytes = []
    case 0..<0x20 where byte != UInt8(ascii: "\t"): return .none
    default: bytes.append(byte)
    }
    return .changed
  }
}
