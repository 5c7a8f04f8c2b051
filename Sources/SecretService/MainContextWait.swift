internal import CSecret

/// A main context of our own, iterated on the calling thread, and only until a deadline.
///
/// GLib delivers what it starts asynchronously (a connection, a signal) to the context that was the
/// thread's default at the start. Nothing runs between two waits, and no thread stays behind.
struct MainContextWait: ~Copyable {
  private let context: OpaquePointer?
  private let tick: UnsafeMutablePointer<GSource>?
  private let end: Int

  /// Starts the clock; from here until it is destroyed the thread's default context is this one.
  init(seconds: Int) {
    end = g_get_monotonic_time() + max(0, min(seconds, 86_400)) * 1_000_000
    context = g_main_context_new()
    g_main_context_push_thread_default(context)
    // Wakes the wait, so that it sees the deadline and a connection that closed without a signal.
    tick = g_timeout_source_new(50)
    g_source_set_callback(tick, { _ in 1 }, nil, nil)
    g_source_attach(tick, context)
  }

  /// What is left, in milliseconds, never negative.
  var milliseconds: Int {
    max(0, (end - g_get_monotonic_time()) / 1000)
  }

  /// Lets GLib work until `done`, at most until the deadline; says whether it was done.
  func wait(until done: () -> Bool) -> Bool {
    while !done() {
      guard g_get_monotonic_time() < end else { return false }
      g_main_context_iteration(context, 1)
    }
    return true
  }

  deinit {
    g_source_destroy(tick)
    g_source_unref(tick)
    g_main_context_pop_thread_default(context)
    g_main_context_unref(context)
  }
}
