import HTTP

/// When to ask again (RFC 9110 §10.2.3).
enum RetryAfter {
  /// Thirty days. Nobody means more, and sums with it cannot overflow.
  private static let limit: Int64 = 30 * 86_400

  /// Seconds to wait, 0 to thirty days; nil when the field is absent or says nothing usable. Our
  /// own clock counts only for a response without `Date`.
  static func seconds(_ response: HTTPResponse, now: Int64) -> Int64? {
    guard let field = response.header("Retry-After"), field.utf8.count <= 64 else { return nil }
    // RFC 9110 §10.2.3: "Retry-After = HTTP-date / delay-seconds"
    if !field.isEmpty, field.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return min(Int64(field) ?? limit, limit)
    }
    guard let date = HTTPDate.seconds(field, now: now) else { return nil }
    // The date is by the server's clock, which need not agree with ours.
    let then = response.header("Date").flatMap { HTTPDate.seconds($0, now: now) } ?? now
    let (wait, overflow) = date.subtractingReportingOverflow(then)
    return overflow ? nil : min(max(wait, 0), limit)
  }
}
