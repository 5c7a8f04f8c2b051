internal import Glibc

/// The time since start-up (`CLOCK_MONOTONIC`); it does not jump when somebody sets the clock.
public enum MonotonicClock {
  /// Milliseconds; only differences mean anything.
  public static var milliseconds: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }
}
