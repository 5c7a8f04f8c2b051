internal import CSecret

/// Runs the asynchronous calls of GLib and libsecret one at a time on the calling thread, all of
/// them until one deadline.
///
/// libsecret's blocking calls ignore their cancellable for as long as the service stays silent, the
/// asynchronous ones end within milliseconds.
final class CallLoop {
  /// Starts a call: hands over a cancellable, the callback and the callback's data.
  typealias Start = (
    UnsafeMutablePointer<GCancellable>?, @escaping GAsyncReadyCallback, UnsafeMutableRawPointer?
  ) -> Void

  /// Everything GLib delivers (replies, signals) comes through this context, and only while a call
  /// is waited for.
  private let context = g_main_context_new()
  let timeoutSeconds: Int
  /// When the calls of the operation under way must have ended, in microseconds of GLib's
  /// monotonic clock.
  private var deadline = 0
  /// The prompt that is being shown, if one is; it has a deadline of its own.
  var prompt: PendingPrompt?

  init(timeoutSeconds: Int) {
    self.timeoutSeconds = timeoutSeconds
  }

  deinit {
    g_main_context_unref(context)
  }

  /// Gives the calls to come the whole time again, together.
  func restartDeadline() {
    deadline = g_get_monotonic_time() + timeoutSeconds * 1_000_000
  }

  /// Makes one call and waits for its end.
  ///
  /// - Parameters:
  ///   - start: starts the call.
  ///   - finish: the call's `…_finish` function.
  /// - Returns: what `finish` returns.
  /// - Throws: `timedOut` at the deadline, else what the call's `GError` says.
  func call<Value>(
    _ start: Start,
    finish: (OpaquePointer?, inout UnsafeMutablePointer<GError>?) -> Value
  ) throws(SecretServiceError) -> Value {
    let results = try run { [CallResult(of: start, $0)] }
    defer { g_object_unref(UnsafeMutableRawPointer(results[0])) }
    var error: UnsafeMutablePointer<GError>?
    let value = finish(results[0], &error)
    if let error { throw SecretServiceError(consuming: error) }
    return value
  }

  /// Makes a call for each element, all at once, and waits for the end of all.
  ///
  /// - Parameters:
  ///   - elements: what to call for.
  ///   - start: starts the call for one of them.
  ///   - finish: the call's `…_finish` function; a failure is that element's.
  ///   - startAnother: starts one more call after these, whose result nobody needs.
  /// - Returns: what `finish` returns for each, in order.
  /// - Throws: `timedOut` when one of them does not even end when it is cancelled.
  func call<Element, Value>(
    each elements: some Sequence<Element>,
    _ start: (
      Element, UnsafeMutablePointer<GCancellable>?, @escaping GAsyncReadyCallback,
      UnsafeMutableRawPointer?
    ) -> Void,
    finish: (OpaquePointer?, inout UnsafeMutablePointer<GError>?) -> Value,
    beside startAnother: Start? = nil
  ) throws(SecretServiceError) -> [Outcome<Value>] {
    var results = try run { cancellable in
      var calls = elements.map { element in
        CallResult(of: { start(element, $0, $1, $2) }, cancellable)
      }
      if let startAnother { calls.append(CallResult(of: startAnother, cancellable)) }
      return calls
    }
    if startAnother != nil { g_object_unref(UnsafeMutableRawPointer(results.removeLast())) }
    return results.map { result in
      defer { g_object_unref(UnsafeMutableRawPointer(result)) }
      var error: UnsafeMutablePointer<GError>?
      let value = finish(result, &error)
      if let error { return .failure(SecretServiceError(consuming: error)) }
      return .success(value)
    }
  }

  private func run(
    _ start: (UnsafeMutablePointer<GCancellable>?) -> [CallResult]
  ) throws(SecretServiceError) -> [OpaquePointer] {
    let cancellable = g_cancellable_new()
    defer { g_object_unref(cancellable) }
    g_main_context_push_thread_default(context)
    defer { g_main_context_pop_thread_default(context) }
    // Wakes the loop for the deadline.
    let tick = g_timeout_source_new(20)
    g_source_set_callback(tick, { _ in 1 }, nil, nil)
    g_source_attach(tick, context)
    defer {
      g_source_destroy(tick)
      g_source_unref(tick)
    }

    let calls = start(cancellable)
    func isDone() -> Bool { calls.allSatisfy { $0.result != nil } }
    while !isDone() {
      let now = g_get_monotonic_time()
      if let prompt {
        // The call that wanted it ends by that, in its own time.
        if prompt.hasPassed(at: now) { prompt.end(.unanswered) }
      } else if now >= deadline {
        break
      }
      g_main_context_iteration(context, 1)
    }
    if !isDone() {
      g_cancellable_cancel(cancellable)
      let end = g_get_monotonic_time() + 1_000_000
      while !isDone() && g_get_monotonic_time() < end { g_main_context_iteration(context, 1) }
    }
    let results = calls.compactMap(\.result)
    guard results.count == calls.count else {
      for result in results { g_object_unref(UnsafeMutableRawPointer(result)) }
      throw .timedOut
    }
    return results
  }
}

/// Where the callback of an asynchronous call leaves its result.
private final class CallResult {
  private(set) var result: OpaquePointer?

  init(of start: CallLoop.Start, _ cancellable: UnsafeMutablePointer<GCancellable>?) {
    start(cancellable, Self.store, Unmanaged.passRetained(self).toOpaque())
  }

  /// Balances the reference that was passed as the callback's data.
  private static let store: GAsyncReadyCallback = { _, result, data in
    guard let data, let result else { return }
    g_object_ref(UnsafeMutableRawPointer(result))
    Unmanaged<CallResult>.fromOpaque(data).takeRetainedValue().result = result
  }
}
