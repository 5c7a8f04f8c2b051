/// Cells in columns, each as wide as its widest cell.
struct TextTable {
  private let rows: [[String]]
  private var widths: [Int]

  /// Takes rows of the same number of cells.
  init(_ rows: [[String]]) {
    self.rows = rows
    widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  }

  /// Makes the widest of some columns narrower until the table has at most so many characters in a
  /// line; none gets narrower than eight.
  mutating func fit(_ columns: Int, cutting cut: [Int]) {
    while width > columns,
      let widest = cut.max(by: { widths[$0] < widths[$1] }), widths[widest] > 8
    {
      widths[widest] -= 1
    }
  }

  /// How many characters its longest line may have.
  var width: Int { widths.reduce(2 * (widths.count - 1), +) }

  /// The lines without the blanks at their ends.
  var lines: [String] { rows.map { line($0) { text, _ in text } } }

  /// One line, its cells changed after they are cut and padded.
  func line(_ row: [String], _ change: (String, Int) -> String) -> String {
    let cells = zip(row, widths).enumerated().map { column, cell in
      let text = TerminalStyle.cut(cell.0, to: cell.1)
      let isLast = column == row.count - 1
      let padding = isLast ? "" : String(repeating: " ", count: cell.1 - text.count)
      return change(text, column) + padding
    }
    return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
  }
}
