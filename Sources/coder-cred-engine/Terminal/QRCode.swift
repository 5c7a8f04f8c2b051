import CQRencode
import Glibc

/// An address as a picture for a phone's camera.
///
/// libqrencode makes it: a code of our own would be some 300 lines of tables and finite fields for
/// something that is asked for now and then. It is loaded when somebody asks, and may be missing.
struct QRCode {
  /// Light modules around the code. ISO/IEC 18004 wants four; two are enough for cameras, and leave
  /// room on a terminal.
  private static let margin = 2

  private let width: Int
  private let modules: [UInt8]

  /// Encodes a text; nil when the library is missing, or the text is too long.
  init?(_ text: String) {
    var modules = [UInt8](
      repeating: 0, count: Int(CQRENCODE_MAXIMUM) * Int(CQRENCODE_MAXIMUM))
    width = Int(cqrencode(text, &modules))
    guard width > 0 else { return nil }
    self.modules = modules
  }

  /// Shows the code of an address on the terminal, or says why that cannot be.
  static func show(_ url: String) {
    guard let code = QRCode(url) else {
      return Terminal.say("A QR code needs libqrencode: apt install libqrencode4")
    }
    let lines = Charset.isUTF8 ? code.halfBlocks : code.blanks
    let columns = code.places.count * (Charset.isUTF8 ? 1 : 2)
    if let size = Terminal.size, lines.count + 2 > size.rows || columns > size.columns {
      return Terminal.say(
        "The QR code needs \(lines.count + 2) rows and \(columns) columns, and the terminal has "
          + "\(size.rows) and \(size.columns): make the window larger or the letters smaller, and "
          + "type qr again. Still waiting …")
    }
    for line in lines { Terminal.write(line + "\u{1B}[0m\n") }
    Terminal.say("Still waiting …")
  }

  /// Black on white whatever the terminal's colours are (ECMA-48 §8.3.117).
  private static let colours = "\u{1B}[38;5;16;48;5;231m"

  /// Two modules one above the other in each place.
  private var halfBlocks: [String] {
    stride(from: -Self.margin, to: width + Self.margin, by: 2).map { row in
      places.reduce(Self.colours) { line, column in
        switch (isDark(row, column), isDark(row + 1, column)) {
        case (true, true): line + "█"
        case (true, false): line + "▀"
        case (false, true): line + "▄"
        case (false, false): line + " "
        }
      }
    }
  }

  /// Each module as two coloured blanks, for terminals that have no blocks.
  private var blanks: [String] {
    places.map { row in
      places.reduce("") { line, column in
        line + (isDark(row, column) ? "\u{1B}[40m  " : "\u{1B}[47m  ")
      }
    }
  }

  private var places: Range<Int> { -Self.margin..<(width + Self.margin) }

  private func isDark(_ row: Int, _ column: Int) -> Bool {
    (0..<width).contains(row) && (0..<width).contains(column) && modules[row * width + column] == 1
  }
}

extension Terminal {
  /// How many rows and columns the terminal has; nil when it does not tell.
  static var size: (rows: Int, columns: Int)? {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0
    else { return nil }
    return (Int(size.ws_row), Int(size.ws_col))
  }
}
