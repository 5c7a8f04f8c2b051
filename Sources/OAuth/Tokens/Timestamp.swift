import FoundationEssentials

/// Points in time as RFC 3339 writes them.
enum Timestamp {
  /// Unix seconds, fractions cut off; nil for what is no such time or lies outside 1970 to 9999.
  static func seconds(_ text: String) -> Int64? {
    guard text.utf8.count <= 64,
      let date = try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text)
    else { return nil }
    let seconds = date.timeIntervalSince1970.rounded(.down)
    return (0...253_402_300_799).contains(seconds) ? Int64(seconds) : nil
  }
}
