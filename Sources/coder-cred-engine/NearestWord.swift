/// The word that somebody meant who mistyped it.
enum NearestWord {
  /// The word most like a mistyped one; nil when none is.
  ///
  /// - Parameters:
  ///   - typed: what was typed.
  ///   - words: what could be meant.
  ///   - limit: how many characters may differ for a word to be meant.
  /// - Returns: the first of those with the fewest differences.
  static func to(_ typed: String, among words: [String], limit: (String) -> Int) -> String? {
    guard typed.utf8.count <= 64 else { return nil }
    let typed = typed.lowercased()
    let distances = words.map { ($0, distance(typed, $0)) }
    guard let best = distances.min(by: { $0.1 < $1.1 }) else { return nil }
    return best.1 <= limit(best.0) ? best.0 : nil
  }

  /// How many characters must be changed, added, left out or exchanged with their neighbour to make one
  /// word of another.
  private static func distance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left.utf8), Array(right.utf8))
    var rows = [Array(0...right.count)]
    for i in left.indices {
      var row = [i + 1]
      for j in right.indices {
        let changed = rows[i][j] + (left[i] == right[j] ? 0 : 1)
        var least = min(changed, rows[i][j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
          least = min(least, rows[i - 1][j - 1] + 1)
        }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[left.count][right.count]
  }
}
