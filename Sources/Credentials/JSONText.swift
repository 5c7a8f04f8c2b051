import Secrets

/// The few pieces of JSON that answers need (RFC 8259), without a library that costs start-up time.
enum JSONText {
  /// A JSON string, with its quotation marks.
  static func quoted(_ text: String) -> String { "\"\(ForeignText.jsonString(text))\"" }

  /// A time in UTC as RFC 3339 writes it; nil beyond the year 9999.
  ///
  /// gmtime_r(3) tells the same, but brings time zones, and the readers of numbers that these use, into a
  /// program without shared libraries: a ninth of the fast path's size.
  static func timestamp(_ seconds: Int64) -> String? {
    guard (0...253_402_300_799).contains(seconds) else { return nil }
    let (day, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
    let clock = [second / 3600, second / 60 % 60, second % 60].map { pad($0, 2) }
    return date(ofDay: day) + "T" + clock.joined(separator: ":") + "Z"
  }

  /// The date of a day since 1970 in the Gregorian calendar.
  private static func date(ofDay day: Int64) -> String {
    // Years begin with March here, so that a leap day is the last of its year. Day 0 is the 1st of
    // March of the year 0; 146,097 days are 400 years.
    let (cycle, dayOfCycle) = (day + 719_468).quotientAndRemainder(dividingBy: 146_097)
    // Without the leap days before it, all years of a cycle have 365 days.
    let leapDays = dayOfCycle / 1460 - dayOfCycle / 36_524 + dayOfCycle / 146_096
    let yearOfCycle = (dayOfCycle - leapDays) / 365
    let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
    // Five months have 153 days, from March and from August alike.
    let month = (5 * dayOfYear + 2) / 153
    let dayOfMonth = dayOfYear - (153 * month + 2) / 5 + 1
    let isNextYear = month >= 10
    let year = 400 * cycle + yearOfCycle + (isNextYear ? 1 : 0)
    return [pad(year, 4), pad(isNextYear ? month - 9 : month + 3, 2), pad(dayOfMonth, 2)]
      .joined(separator: "-")
  }

  private static func pad(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }
}
