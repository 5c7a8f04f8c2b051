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

  /// How many characters must be changed, added or left out to make one word of another.
  private static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right.utf8)
    var row = Array(0...right.count)
    for (index, byte) in left.utf8.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in right.indices {
        let changed = diagonal + (byte == right[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(changed, row[column] + 1, diagonal + 1)
      }
    }
    return row[right.count]
  }
}
