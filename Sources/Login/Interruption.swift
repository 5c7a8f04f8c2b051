import Glibc
import OAuth
import Sessions
import Synchronization

/// Lets SIGINT, SIGTERM and SIGHUP end the wait for a person, so that what was begun can be taken
/// back; then they have their usual effect. The handler writes to a self-pipe.
final class Interruption: LoginEventSource {
  private static let handled = [SIGINT, SIGTERM, SIGHUP]
  /// Where the handler writes the signal's number: to the latest of us. A handler can reach nothing
  /// but a global.
  private static let latestWriteEnd = Atomic<Int32>(-1)

  private let readEnd: Int32
  private let writeEnd: Int32
  private let actions: [sigaction]
  private var signal: Int32 = 0

  init() {
    var ends: [Int32] = [-1, -1]
    // Without a pipe a signal simply ends us.
    if pipe(&ends) == 0 {
      for end in ends {
        _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        _ = fcntl(end, F_SETFL, O_NONBLOCK)
      }
    }
    readEnd = ends[0]
    writeEnd = ends[1]
    Self.latestWriteEnd.store(writeEnd, ordering: .relaxed)
    var tell = sigaction()
    tell.__sigaction_handler.sa_handler = { number in
      // errno belongs to the code that was interrupted.
      let former = errno
      var number = UInt8(truncatingIfNeeded: number)
      _ = write(Interruption.latestWriteEnd.load(ordering: .relaxed), &number, 1)
      errno = former
    }
    let isWatched = readEnd >= 0
    actions = Self.handled.map { signal in
      var former = sigaction()
      sigaction(signal, nil, &former)
      if isWatched && !former.isIgnoring { sigaction(signal, &tell, nil) }
      return former
    }
  }

  var descriptor: Int32? { readEnd >= 0 ? readEnd : nil }

  func advance(
    _ expected: AuthorizationResponse.Expectation
  ) -> Result<AuthorizationResponse, OAuthError>? {
    readSignal() ? .failure(.interrupted) : nil
  }

  /// Whether a signal has come.
  var hasCome: Bool { readSignal() }

  /// Gives the signals their usual effect again, the one that came included.
  func end() {
    for (signal, former) in zip(Self.handled, actions) {
      var former = former
      sigaction(signal, &former, nil)
    }
    let signal = readSignal() ? signal : 0
    if readEnd >= 0 {
      close(readEnd)
      close(writeEnd)
    }
    if signal != 0 { kill(getpid(), signal) }
  }

  private func readSignal() -> Bool {
    var number: UInt8 = 0
    if read(readEnd, &number, 1) == 1 { signal = Int32(number) }
    return signal != 0
  }
}
