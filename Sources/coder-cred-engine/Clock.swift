import Glibc

/// The time since start-up; it does not jump when somebody sets the clock.
enum MonotonicClock {
  static var milliseconds: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }
}

/// The wall clock, which expiry times are given in.
enum WallClock {
  /// Unix seconds.
  static func now() -> Int64 { Int64(time(nil)) }
}

/// The one place that reads `errno` into words.
enum SystemError {
  static var last: String { String(cString: strerror(errno)) }
}
