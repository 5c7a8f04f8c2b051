import FoundationEssentials

/// When to ask again (RFC 9110 §10.2.3).
enum RetryAfter {
  private static let limit: Int64 = 3600

  /// Seconds to wait, 0 to 3600; nil when the field is absent or says nothing usable.
  static func seconds(_ field: String?, now: Int64) -> Int64? {
    guard let field, field.utf8.count <= 64 else { return nil }
    // RFC 9110 §10.2.3: "Retry-After = HTTP-date / delay-seconds"
    if !field.isEmpty, field.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return min(Int64(field) ?? limit, limit)
    }
    guard let date = httpDate(field) else { return nil }
    let (wait, overflow) = date.subtractingReportingOverflow(now)
    return overflow ? nil : min(max(wait, 0), limit)
  }

  /// An IMF-fixdate such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7) in Unix seconds.
  private static func httpDate(_ text: String) -> Int64? {
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 6, parts[5] == "GMT",
      let month = months.firstIndex(where: { $0 == parts[2] })
    else { return nil }
    let number = month + 1 < 10 ? "0\(month + 1)" : "\(month + 1)"
    return Timestamp.seconds("\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z")
  }
}

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
