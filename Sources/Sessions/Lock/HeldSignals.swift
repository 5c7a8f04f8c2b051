import Glibc
import Synchronization

/// Holds the signals that end or stop a process back until they are released.
///
/// Blocking them in one thread is not enough: a signal to the process may go to any thread, and GLib
/// has threads of its own. So a handler notes the signal as well.
package struct HeldSignals {
  private static let held = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP]
  /// The last one that came.
  private static let noted = Atomic<Int32>(0)

  private let mask: sigset_t
  private let actions: [sigaction]

  /// Holds the signals from now on.
  package init() {
    Self.noted.store(0, ordering: .relaxed)
    var mask = sigset_t()
    var blocked = sigset_t()
    sigemptyset(&blocked)
    var note = sigaction()
    note.__sigaction_handler.sa_handler = { HeldSignals.noted.store($0, ordering: .relaxed) }
    note.sa_flags = SA_RESTART
    actions = Self.held.map { signal in
      sigaddset(&blocked, signal)
      var former = sigaction()
      sigaction(signal, nil, &former)
      // What we were started to ignore, as under nohup, stays ignored.
      if !former.isIgnoring { sigaction(signal, &note, nil) }
      return former
    }
    pthread_sigmask(SIG_BLOCK, &blocked, &mask)
    self.mask = mask
  }

  /// Whether one has come and waits.
  package var isOneWaiting: Bool {
    if Self.noted.load(ordering: .relaxed) != 0 { return true }
    var pending = sigset_t()
    sigpending(&pending)
    return Self.held.contains { sigismember(&pending, $0) == 1 }
  }

  /// Lets them have their usual effect again, the one that came included. Once more does nothing.
  package func release() {
    var mask = mask
    pthread_sigmask(SIG_SETMASK, &mask, nil)
    for (signal, former) in zip(Self.held, actions) {
      var former = former
      sigaction(signal, &former, nil)
    }
    let signal = Self.noted.exchange(0, ordering: .relaxed)
    if signal != 0 { kill(getpid(), signal) }
  }
}

extension sigaction {
  /// Whether the signal was set to be ignored, as under nohup.
  package var isIgnoring: Bool {
    unsafeBitCast(__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
