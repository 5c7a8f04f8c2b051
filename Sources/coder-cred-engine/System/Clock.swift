import Glibc

/// The time since start-up, suspension included: what a wait on another machine is measured with.
enum BootClock {
  static var milliseconds: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}

/// The wall clock, which expiry times are given in.
enum WallClock {
  /// Unix seconds.
  static func now() -> Int64 { Int64(time(nil)) }

  /// The date, UTC, as people read it.
  static var today: String {
    var moment = time(nil)
    var parts = tm()
    gmtime_r(&moment, &parts)
    var text = [CChar](repeating: 0, count: 32)
    let count = strftime(&text, text.count, "%Y-%m-%d", &parts)
    return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// The one place that reads `errno` into words.
enum SystemError {
  static var last: String { String(cString: strerror(errno)) }
}
