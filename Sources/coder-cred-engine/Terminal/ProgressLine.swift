import CLinux
import Glibc
import Sessions
import Synchronization

/// One line on the terminal that says what goes on, once that has taken half a second.
///
/// The work blocks its thread, so another one draws. There is none where nobody would see it: no
/// terminal, one that cannot redraw a line, or one that another program is using.
final class ProgressLine {
  /// Work that takes less time shows nothing, in milliseconds.
  private static let quietMilliseconds: Int32 = 500
  /// How often the line is redrawn, in milliseconds.
  private static let intervalMilliseconds: Int32 = 200

  private let drawer: pthread_t
  /// Its write end is closed when the work is over.
  private var stop: Pipe?

  /// Says for how long something goes on.
  convenience init?(_ text: String, _ environment: Environment) {
    let start = SystemClock().uptimeMilliseconds
    self.init(environment) {
      let elapsed = SystemClock().uptimeMilliseconds - start
      let step = Int(elapsed / Int64(ProgressLine.intervalMilliseconds)) % Spinner.pictures.count
      return "\(Spinner.pictures[step]) \(text) … \(elapsed / 1000) s"
    }
  }

  /// Shows what `text` says at each time it is drawn; nil when nobody would see it, or when another
  /// line is shown already.
  init?(_ environment: Environment, text: @escaping @Sendable () -> String) {
    guard let style = TerminalStyle(of: STDERR_FILENO, environment),
      !["dumb", nil].contains(environment["TERM"]), tcgetpgrp(STDERR_FILENO) == getpgrp()
    else { return nil }
    guard ScreenLine.take() else { return nil }
    guard let pipe = Pipe() else {
      ScreenLine.giveBack()
      return nil
    }
    let drawing = Drawing(text: text, stop: pipe.readEnd, columns: style.columns - 1)
    // Signals are for the thread that works, and knows when it must not be interrupted.
    var all = sigset_t()
    var former = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, &former)
    defer { pthread_sigmask(SIG_SETMASK, &former, nil) }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(drawing)
    let code = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Drawing>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context.toOpaque())
    guard code == 0 else {
      context.release()
      pipe.closeWriteEnd()
      ScreenLine.giveBack()
      return nil
    }
    drawer = thread
    stop = pipe
  }

  deinit { end() }

  /// Leaves the line as it was found.
  func end() {
    guard let stop else { return }
    self.stop = nil
    stop.closeWriteEnd()
    pthread_join(drawer, nil)
    ScreenLine.giveBack()
  }

  /// What the drawing thread works with.
  private final class Drawing: Sendable {
    private let text: @Sendable () -> String
    private let stop: Int32
    private let columns: Int

    init(text: @escaping @Sendable () -> String, stop: Int32, columns: Int) {
      (self.text, self.stop, self.columns) = (text, stop, columns)
    }

    deinit { close(stop) }

    /// Draws until the other end of the pipe is closed.
    func run() {
      var pause = ProgressLine.quietMilliseconds
      var entry = pollfd(fd: stop, events: Int16(POLLIN), revents: 0)
      while poll(&entry, 1, pause) == 0 {
        ScreenLine.draw(TerminalStyle.cut(text(), to: columns))
        pause = ProgressLine.intervalMilliseconds
      }
    }
  }
}

/// The terminal's last line, which one thread draws and others write above.
enum ScreenLine {
  private struct State {
    var isTaken = false
    var isDrawn = false
  }

  private static let state = Mutex(State())

  /// Takes the line; false when it is taken.
  fileprivate static func take() -> Bool {
    state.withLock { state in
      defer { state.isTaken = true }
      return !state.isTaken
    }
  }

  fileprivate static func draw(_ text: String) {
    state.withLock { state in
      Terminal.draw(text)
      state.isDrawn = true
    }
  }

  fileprivate static func giveBack() {
    above {}
    state.withLock { $0.isTaken = false }
  }

  /// Writes something where the line is; it is drawn again below that.
  static func above(_ write: () -> Void) {
    state.withLock { state in
      if state.isDrawn { Terminal.draw("") }
      state.isDrawn = false
      write()
    }
  }
}
