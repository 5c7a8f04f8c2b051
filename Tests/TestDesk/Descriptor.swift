import Glibc

/// An open file descriptor that is closed once.
final class Descriptor: @unchecked Sendable {
  private(set) var number: Int32

  init(_ number: Int32) { self.number = number }

  deinit { close() }

  func close() {
    if number >= 0 { Glibc.close(number) }
    number = -1
  }

  /// A pipe that no child inherits by accident.
  static func pipe() throws -> (read: Descriptor, write: Descriptor) {
    var ends: [Int32] = [0, 0]
    guard Glibc.pipe(&ends) == 0 else {
      throw ChildProcess.CannotStart(executable: "pipe", code: errno)
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (Descriptor(ends[0]), Descriptor(ends[1]))
  }

  func setNonBlocking() { _ = fcntl(number, F_SETFL, O_NONBLOCK) }

  /// Whether there is something to read (or the end of it) before the deadline.
  @discardableResult
  func waitReadable(until deadline: Deadline) -> Bool {
    var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    while true {
      let ready = poll(&entry, 1, deadline.milliseconds)
      if ready > 0 { return true }
      if ready == 0 && deadline.hasPassed { return false }
      if ready < 0 && errno != EINTR { return false }
    }
  }
}

/// A moment on the monotonic clock.
struct Deadline {
  private let end: ContinuousClock.Instant

  init(seconds: Double) { end = ContinuousClock.now.advanced(by: .seconds(seconds)) }

  var hasPassed: Bool { ContinuousClock.now >= end }

  var secondsLeft: Double { max(0, ContinuousClock.now.duration(to: end) / .seconds(1)) }

  /// What is left, rounded up, for `poll`.
  var milliseconds: Int32 {
    let left = ContinuousClock.now.duration(to: end) / .milliseconds(1)
    return Int32(max(0, min(left.rounded(.up), 1e9)))
  }
}
