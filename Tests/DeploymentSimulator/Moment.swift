import Glibc

/// Unix seconds as the two texts the deployment sends.
enum Moment {
  private static func civil(_ seconds: Double) -> tm {
    var time = time_t(seconds.isFinite ? max(-6e10, min(2e11, seconds.rounded(.down))) : 0)
    var parts = tm()
    gmtime_r(&time, &parts)
    return parts
  }

  private static func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }

  static func rfc3339(_ seconds: Double) -> String {
    let t = civil(seconds)
    return "\(t.tm_year + 1900)-\(two(t.tm_mon + 1))-\(two(t.tm_mday))"
      + "T\(two(t.tm_hour)):\(two(t.tm_min)):\(two(t.tm_sec))Z"
  }

  static func httpDate(_ seconds: Double) -> String {
    let t = civil(seconds)
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    return "\(days[Int(t.tm_wday)]), \(two(t.tm_mday)) \(months[Int(t.tm_mon)]) "
      + "\(t.tm_year + 1900) \(two(t.tm_hour)):\(two(t.tm_min)):\(two(t.tm_sec)) GMT"
  }
}
