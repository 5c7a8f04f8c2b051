import CLinux
import Glibc

/// A descriptor that becomes readable again and again.
package final class Ticker {
  /// The descriptor to poll; nil when the system has none.
  package let descriptor: Int32?

  /// Ticks from now on.
  package init(milliseconds: Int) {
    let timer = timerfd_create(CLOCK_MONOTONIC, O_CLOEXEC | O_NONBLOCK)
    descriptor = timer >= 0 ? timer : nil
    let pause = timespec(
      tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    var interval = itimerspec(it_interval: pause, it_value: pause)
    if timer >= 0 { timerfd_settime(timer, 0, &interval, nil) }
  }

  deinit {
    if let descriptor { close(descriptor) }
  }

  /// Takes the ticks that have come.
  package func take() {
    var ticks: UInt64 = 0
    if let descriptor { _ = read(descriptor, &ticks, MemoryLayout<UInt64>.size) }
  }
}
