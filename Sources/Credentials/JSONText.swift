import Glibc
import Secrets

/// The few pieces of JSON that answers need (RFC 8259), without a library that costs start-up time.
enum JSONText {
  /// A JSON string, with its quotation marks.
  static func quoted(_ text: String) -> String { "\"\(ForeignText.jsonString(text))\"" }

  /// A time in UTC as RFC 3339 writes it; nil beyond the year 9999.
  static func timestamp(_ seconds: Int64) -> String? {
    guard (0...253_402_300_799).contains(seconds) else { return nil }
    var time = time_t(seconds)
    var parts = tm()
    guard gmtime_r(&time, &parts) != nil else { return nil }
    let date = [pad(parts.tm_year + 1900, 4), pad(parts.tm_mon + 1, 2), pad(parts.tm_mday, 2)]
    let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { pad($0, 2) }
    return date.joined(separator: "-") + "T" + clock.joined(separator: ":") + "Z"
  }

  private static func pad(_ number: Int32, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}
