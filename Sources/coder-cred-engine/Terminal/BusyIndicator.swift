import Glibc
import HTTP
import Sessions

/// A sign of life on a terminal while something takes longer than half a second.
///
/// Drawn by a thread of its own, because whoever waits is blocked. Nothing else may be said meanwhile.
final class BusyIndicator {
  private static let quietMilliseconds: Int32 = 500
  private static let stepMilliseconds: Int32 = 120

  private let text: String
  /// The thread ends when the other end of this pipe is closed.
  private let readEnd: Int32
  private let writeEnd: Int32
  private var thread = pthread_t()

  /// Does something, and shows that it takes its time.
  ///
  /// - Parameters:
  ///   - text: what is done, without a dot.
  ///   - environment: the environment, which names the terminal.
  ///   - body: the work; it says nothing.
  /// - Returns: what the work gave.
  /// - Throws: what it throws.
  static func around<Value, Problem>(
    _ text: String, _ environment: Environment, _ body: () throws(Problem) -> Value
  ) throws(Problem) -> Value {
    let indicator = BusyIndicator(text, environment)
    defer { indicator?.end() }
    return try body()
  }

  private init?(_ text: String, _ environment: Environment) {
    guard isatty(STDERR_FILENO) != 0, let kind = environment["TERM"], kind != "dumb" else {
      return nil
    }
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (self.text, readEnd, writeEnd) = (text, ends[0], ends[1])
    // Signals are for the thread that waits.
    var (all, mask) = (sigset_t(), sigset_t())
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, &mask)
    defer { pthread_sigmask(SIG_SETMASK, &mask, nil) }
    let isStarted = pthread_create(
      &thread, nil,
      { argument in
        argument.map { Unmanaged<BusyIndicator>.fromOpaque($0).takeRetainedValue().draw() }
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    guard isStarted == 0 else {
      Unmanaged.passUnretained(self).release()
      close(readEnd)
      close(writeEnd)
      return nil
    }
  }

  private func end() {
    close(writeEnd)
    pthread_join(thread, nil)
    close(readEnd)
  }

  private func draw() {
    var step = 0
    var pause = Self.quietMilliseconds
    while true {
      var watched = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
      let count = poll(&watched, 1, pause)
      if count < 0 && errno == EINTR { continue }
      guard count == 0 else { break }
      Terminal.draw("\(Spinner.pictures[step % Spinner.pictures.count]) \(text)")
      step += 1
      pause = Self.stepMilliseconds
    }
    if step > 0 { Terminal.draw("") }
  }
}

/// An HTTP client that shows on a terminal that a server is waited for.
struct BusyClient: HTTPClient {
  let client: any HTTPClient
  let environment: Environment
  /// Who is waited for.
  let name: String

  func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
    try BusyIndicator.around("Waiting for \(name)", environment) { () throws(HTTPError) in
      try client.send(request)
    }
  }
}

/// A clock that shows on a terminal that something is tried again later.
struct BusyClock: SessionClock {
  let clock: any SessionClock
  let environment: Environment

  var now: Int64 { clock.now }
  var uptimeMilliseconds: Int64 { clock.uptimeMilliseconds }

  func sleep(milliseconds: Int) {
    BusyIndicator.around("Trying again in a moment", environment) {
      clock.sleep(milliseconds: milliseconds)
    }
  }
}
