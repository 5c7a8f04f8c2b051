import CLinux
import Glibc
import Sessions

/// A terminal that shows nothing of what is typed and hands it over key by key, and is as it was
/// however that ends.
///
/// Ctrl-Z suspends as usual: the shell gets the terminal as it was, and `fg` makes it quiet again.
struct QuietTyping {
  /// The terminal as it was, and as it is now, for the signal handlers too. On the heap, because a
  /// global variable of this type is three bytes shorter than what the C library writes (Swift 6.3).
  private nonisolated(unsafe) static let former = UnsafeMutablePointer<termios>.allocate(
    capacity: 1)
  private nonisolated(unsafe) static let quiet = UnsafeMutablePointer<termios>.allocate(capacity: 1)
  /// Set when the process goes on after Ctrl-Z.
  private nonisolated(unsafe) static var wasSuspended: sig_atomic_t = 0
  /// What a signal that ends the process leaves on the terminal, as the handlers write it.
  private nonisolated(unsafe) static var farewell: UnsafeMutablePointer<CChar>?
  private static let deadly = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

  private let actions: [sigaction]
  private let stopAction: sigaction

  /// Makes the terminal quiet; nil when standard input is none.
  ///
  /// - Parameter dropsTypedAhead: whether what was typed before is dropped, as it was shown.
  init?(dropsTypedAhead: Bool) {
    guard tcgetattr(STDIN_FILENO, Self.former) == 0 else { return nil }
    Self.quiet.initialize(to: Self.former.pointee)
    Self.quiet.pointee.c_lflag &= ~tcflag_t(ECHO | ICANON)
    withUnsafeMutableBytes(of: &Self.quiet.pointee.c_cc) {
      $0[Int(VMIN)] = 1
      $0[Int(VTIME)] = 0
    }
    // Any thread may get the signals; tcsetattr(3), sigaction(2), raise(3), write(2) and kill(2) are
    // safe in a handler (signal-safety(7)).
    var restore = sigaction()
    restore.__sigaction_handler.sa_handler = { number in
      tcsetattr(STDIN_FILENO, TCSAFLUSH, QuietTyping.former)
      if let farewell = QuietTyping.farewell {
        _ = write(STDERR_FILENO, farewell, strlen(farewell))
      }
      signal(number, SIG_DFL)
      kill(getpid(), number)
    }
    actions = Self.deadly.map { Self.exchange($0, restore) }
    var suspend = sigaction()
    suspend.__sigaction_handler.sa_handler =
      Self.canBeContinued ? { QuietTyping.suspend($0) } : SIG_IGN
    stopAction = Self.exchange(SIGTSTP, suspend)
    // What we were started to ignore stays ignored.
    if stopAction.isIgnoring { _ = Self.exchange(SIGTSTP, stopAction) }
    tcsetattr(STDIN_FILENO, dropsTypedAhead ? TCSAFLUSH : TCSADRAIN, Self.quiet)
  }

  /// Has a signal that ends the process while something is asked say this; nil is nothing.
  static func sayAtEnd(_ line: String?) {
    let former = farewell
    farewell = line.flatMap { strdup("\n\(Terminal.clean($0))\n") }
    free(former)
  }

  /// Makes the terminal as it was.
  ///
  /// - Parameter dropsRest: whether what was typed since is dropped, so that no shell reads it.
  func end(dropsRest: Bool) {
    tcsetattr(STDIN_FILENO, dropsRest ? TCSAFLUSH : TCSADRAIN, Self.former)
    for (signal, action) in zip(Self.deadly, actions) { _ = Self.exchange(signal, action) }
    _ = Self.exchange(SIGTSTP, stopAction)
  }

  /// Whether the process was suspended since this was asked last.
  static func takeSuspension() -> Bool {
    defer { wasSuspended = 0 }
    return wasSuspended != 0
  }

  /// Whether a shell can continue this process. The processes of a session's leader have none above
  /// them (credentials(7)): the kernel does not stop them, and the terminal must not seem as it was.
  private static var canBeContinued: Bool { getpgrp() != getsid(0) }

  /// Stops the process with the terminal as it was.
  private static func suspend(_ number: Int32) {
    let error = errno
    tcsetattr(STDIN_FILENO, TCSAFLUSH, former)
    var (usual, ours) = (sigaction(), sigaction())
    usual.__sigaction_handler.sa_handler = SIG_DFL
    sigaction(number, &usual, &ours)
    var (signals, mask) = (sigset_t(), sigset_t())
    sigemptyset(&signals)
    sigaddset(&signals, number)
    pthread_sigmask(SIG_UNBLOCK, &signals, &mask)
    raise(number)
    // Here it goes on, in the foreground: in the background tcsetattr(3) stops it once more.
    pthread_sigmask(SIG_SETMASK, &mask, nil)
    sigaction(number, &ours, nil)
    tcsetattr(STDIN_FILENO, TCSAFLUSH, quiet)
    wasSuspended = 1
    errno = error
  }

  private static func exchange(_ signal: Int32, _ action: sigaction) -> sigaction {
    var (action, former) = (action, sigaction())
    sigaction(signal, &action, &former)
    return former
  }
}
