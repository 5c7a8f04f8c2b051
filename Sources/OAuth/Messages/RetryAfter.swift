import HTTP

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
    guard let date = HTTPDate.seconds(field, now: now) else { return nil }
    let (wait, overflow) = date.subtractingReportingOverflow(now)
    return overflow ? nil : min(max(wait, 0), limit)
  }
}
