internal import Glibc

/// Points in time as HTTP writes them (RFC 9110 §5.6.7).
public enum HTTPDate {
  /// Unix seconds; nil for what is no such date.
  ///
  /// RFC 9110 §5.6.7: "A recipient that parses a timestamp value in an HTTP field MUST accept all
  /// three HTTP-date formats." They are `Sun, 06 Nov 1994 08:49:37 GMT`,
  /// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
  ///
  /// - Parameters:
  ///   - text: the field's value.
  ///   - now: Unix seconds, for a year of two digits.
  /// - Returns: Unix seconds, from 1970 on.
  public static func seconds(_ text: String, now: Int64) -> Int64? {
    guard text.utf8.count <= 40 else { return nil }
    let words = text.utf8.split { " ,-:".utf8.contains($0) }.map { String(Substring($0)) }
    let isAsctime = words.count == 7 && words[6].utf8.count == 4
    guard isAsctime || (words.count == 8 && words[7] == "GMT") else { return nil }
    let order =
      isAsctime ? (day: 2, month: 1, year: 6, hour: 3) : (day: 1, month: 2, year: 3, hour: 4)
    guard let month = months.firstIndex(of: words[order.month]),
      let day = number(words[order.day], 1...31), let shortOrLongYear = number(words[order.year]),
      let hour = number(words[order.hour], 0...23),
      let minute = number(words[order.hour + 1], 0...59),
      // A leap second is 60.
      let second = number(words[order.hour + 2], 0...60)
    else { return nil }
    let isShort = words[order.year].utf8.count == 2
    guard isShort || words[order.year].utf8.count == 4,
      text.utf8.count(where: { $0 == UInt8(ascii: "-") }) == (isShort ? 2 : 0)
    else { return nil }
    let year = isShort ? century(of: shortOrLongYear, now: now) : shortOrLongYear
    guard year >= 1970 else { return nil }
    var parts = tm()
    (parts.tm_mday, parts.tm_mon, parts.tm_year) = (day, Int32(month), year - 1900)
    (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, second)
    let seconds = timegm(&parts)
    // timegm(3) carries the 31st of a shorter month over into the next.
    guard parts.tm_mon == Int32(month) || second == 60 else { return nil }
    return Int64(seconds)
  }

  /// RFC 9110 §5.6.7: "Recipients of a timestamp value in rfc850-date format, which uses a
  /// two-digit year, MUST interpret a timestamp that appears to be more than 50 years in the
  /// future as representing the most recent year in the past that had the same last two digits."
  private static func century(of year: Int32, now: Int64) -> Int32 {
    let thisYear = Int32(clamping: 1970 + now / 31_556_952)
    let candidate = thisYear / 100 * 100 + year
    return candidate > thisYear + 50 ? candidate - 100 : candidate
  }

  private static func number(
    _ digits: String, _ range: ClosedRange<Int32> = 0...9999
  ) -> Int32? {
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int32(digits),
      range.contains(number)
    else { return nil }
    return number
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
}
