import Glibc
import OAuth

/// Ctrl-C and its like while a person is signing in: they end the wait, so that what was begun can
/// be taken back, and then have their usual effect.
final class Interruption: AnswerChannel {
  private static let heeded = [SIGINT, SIGTERM, SIGHUP]
  /// Where the handler writes the signal's number; a handler can reach nothing but a global.
  private nonisolated(unsafe) static var mouth: Int32 = -1

  private let ear: Int32
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
    ear = ends[0]
    Self.mouth = ends[1]
    var tell = sigaction()
    tell.__sigaction_handler.sa_handler = { number in
      var number = UInt8(truncatingIfNeeded: number)
      _ = write(Interruption.mouth, &number, 1)
    }
    let isHeard = ear >= 0
    actions = Self.heeded.map { signal in
      var former = sigaction()
      sigaction(signal, nil, &former)
      if isHeard && !former.isIgnoring { sigaction(signal, &tell, nil) }
      return former
    }
  }

  var descriptor: Int32? { ear >= 0 ? ear : nil }

  func advance(
    _ expected: AuthorizationResponse.Expectation
  ) -> Result<AuthorizationResponse, OAuthError>? {
    hear() ? .failure(.interrupted) : nil
  }

  /// Gives the signals their usual effect again, the one that came included.
  func end() {
    for (signal, former) in zip(Self.heeded, actions) {
      var former = former
      sigaction(signal, &former, nil)
    }
    let signal = hear() ? signal : 0
    if ear >= 0 {
      close(ear)
      close(Self.mouth)
    }
    if signal != 0 { kill(getpid(), signal) }
  }

  private func hear() -> Bool {
    var number: UInt8 = 0
    if read(ear, &number, 1) == 1 { signal = Int32(number) }
    return signal != 0
  }
}
