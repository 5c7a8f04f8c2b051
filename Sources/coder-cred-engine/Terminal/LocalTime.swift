import Glibc

/// Times as people read them: in their own time zone, and how far away.
enum LocalTime {
  /// A moment and its distance, such as `2026-11-26 14:05 (in 3 h)`.
  ///
  /// - Parameters:
  ///   - moment: the moment, in Unix seconds.
  ///   - now: the present, in Unix seconds.
  /// - Returns: both, the moment to the minute.
  static func text(_ moment: Int64, now: Int64) -> String {
    "\(date(moment)) (\(distance(moment, now: now)))"
  }

  /// The date and the time of day, to the minute.
  private static func date(_ moment: Int64) -> String {
    var time = time_t(moment)
    var parts = tm()
    tzset()
    guard localtime_r(&time, &parts) != nil else { return "far away" }
    var text = [CChar](repeating: 0, count: 64)
    let count = strftime(&text, text.count, "%Y-%m-%d %H:%M", &parts)
    return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// How far a moment is from now, such as `in 3 h` or `5 days ago`.
  static func distance(_ moment: Int64, now: Int64) -> String {
    let (seconds, overflow) = moment.subtractingReportingOverflow(now)
    guard !overflow else { return moment > now ? "in ages" : "ages ago" }
    let amount =
      switch seconds.magnitude {
      case 0: "now"
      case ..<120: "\(seconds.magnitude) s"
      case ..<7_200: "\(seconds.magnitude / 60) min"
      case ..<172_800: "\(seconds.magnitude / 3600) h"
      default: "\(seconds.magnitude / 86_400) days"
      }
    if seconds == 0 { return amount }
    return seconds > 0 ? "in \(amount)" : "\(amount) ago"
  }
}
