internal import CSecret

/// How a prompt can end without a result.
enum PromptFailure: Int32 {
  /// The caller may not ask anybody.
  case refused
  /// The person, or the lack of anything to ask them with, turned it down.
  case dismissed
  /// Nobody answered in time.
  case unanswered
  /// The service went away while it was asking.
  case serviceGone
  /// The result is not of the type that the specification gives it.
  case malformedResult

  /// The domain of the errors that this becomes on its way through libsecret.
  static let domain = g_quark_from_string("coder-cred-prompt")

  var error: UnsafeMutablePointer<GError>? {
    g_error_new_literal(Self.domain, rawValue, "prompt: \(self)")
  }
}

/// What the prompts of one service do at the moment.
final class Prompter {
  /// Whether and how long a prompt may be waited for.
  struct Permission {
    let timeoutSeconds: Int
    let subject: PromptPolicy.Subject
    let onWait: @Sendable (PromptPolicy.Subject) -> Void
  }

  /// What the call under way may ask; nil refuses every prompt.
  var permission: Permission? { didSet { wasNeeded = false } }
  /// Whether the call under way took a prompt, shown or refused.
  fileprivate(set) var wasNeeded = false
  unowned let loop: CallLoop

  init(loop: CallLoop) {
    self.loop = loop
  }
}

/// libsecret's `SecretService` for one owner of the name, which it does not watch, and with its prompts
/// decided by a ``Prompter``.
///
/// libsecret's own prompting reports a dismissed prompt as success, waits without bound, and sends
/// `Dismiss` when it is cancelled, upon which gnome-keyring (42 at least) aborts and KeePassXC
/// leaves its window.
enum PromptingService {
  /// The class to open a service with.
  static let type = csecret_subtype(secret_service_get_type(), "CoderCredSecretService") {
    classPointer, _ in
    guard let service = classPointer?.assumingMemoryBound(to: SecretServiceClass.self) else {
      return
    }
    classPointer?.assumingMemoryBound(to: GObjectClass.self).pointee.constructor = {
      csecret_construct($0, $1, $2)
    }
    service.pointee.prompt_async = promptAsync
    service.pointee.prompt_finish = promptFinish
  }

  private static let key = "coder-cred-prompter"

  /// Lets the prompter decide; it must live as long as the service is used.
  static func setPrompter(
    _ prompter: Prompter, of service: UnsafeMutablePointer<CSecret.SecretService>
  ) {
    let data = Unmanaged.passUnretained(prompter).toOpaque()
    service.withMemoryRebound(to: GObject.self, capacity: 1) {
      g_object_set_data($0, key, data)
    }
  }

  private static let promptAsync:
    @convention(c) (
      UnsafeMutablePointer<CSecret.SecretService>?, UnsafeMutablePointer<SecretPrompt>?,
      OpaquePointer?, UnsafeMutablePointer<GCancellable>?, GAsyncReadyCallback?,
      UnsafeMutableRawPointer?
    ) -> Void = { service, prompt, resultType, cancellable, callback, data in
      guard let service, let task = g_task_new(service, nil, callback, data) else { return }
      defer { g_object_unref(UnsafeMutableRawPointer(task)) }
      let pointer = service.withMemoryRebound(to: GObject.self, capacity: 1) {
        g_object_get_data($0, key)
      }
      guard let prompt, let pointer else {
        return g_task_return_error(task, PromptFailure.serviceGone.error)
      }
      let prompter = Unmanaged<Prompter>.fromOpaque(pointer).takeUnretainedValue()
      prompter.wasNeeded = true
      guard let permission = prompter.permission else {
        return g_task_return_error(task, PromptFailure.refused.error)
      }
      PendingPrompt(prompt, task, resultType, permission, prompter.loop).show()
    }

  private static let promptFinish:
    @convention(c) (
      UnsafeMutablePointer<CSecret.SecretService>?, OpaquePointer?,
      UnsafeMutablePointer<UnsafeMutablePointer<GError>?>?
    ) -> OpaquePointer? = { _, result, error in
      g_task_propagate_pointer(result, error).map { OpaquePointer($0) }
    }
}

/// One prompt that is being shown.
final class PendingPrompt {
  private let prompt: UnsafeMutablePointer<SecretPrompt>
  private let task: OpaquePointer
  private let resultType: OpaquePointer?
  private let permission: Prompter.Permission
  private unowned let loop: CallLoop
  private let start = g_get_monotonic_time()
  private var signalHandler: gulong = 0
  private var isEnded = false
  private var isAnnounced = false

  init(
    _ prompt: UnsafeMutablePointer<SecretPrompt>, _ task: OpaquePointer,
    _ resultType: OpaquePointer?, _ permission: Prompter.Permission, _ loop: CallLoop
  ) {
    self.prompt = prompt
    self.task = task
    self.resultType = resultType.map { g_variant_type_copy($0) }
    self.permission = permission
    self.loop = loop
    g_object_ref(prompt)
    g_object_ref(UnsafeMutableRawPointer(task))
  }

  deinit {
    if let resultType { g_variant_type_free(resultType) }
    g_object_unref(prompt)
    g_object_unref(UnsafeMutableRawPointer(task))
  }

  /// Opens the service's window; the prompt ends by ``end(_:)`` or by the service's answer.
  func show() {
    loop.prompt = self
    signalHandler = csecret_connect_signal(
      prompt, "g-signal",
      { _, _, name, parameters, data in
        guard let data, let name, let parameters, String(cString: name) == "Completed" else {
          return
        }
        Unmanaged<PendingPrompt>.fromOpaque(data).takeUnretainedValue().complete(parameters)
      }, Unmanaged.passUnretained(self).toOpaque())
    // Without a cancellable: libsecret would send Dismiss.
    secret_prompt_perform(
      prompt, nil, nil, nil,
      { source, result, data in
        guard let source, let data else { return }
        let pending = Unmanaged<PendingPrompt>.fromOpaque(data).takeRetainedValue()
        var error: UnsafeMutablePointer<GError>?
        let value = source.withMemoryRebound(to: SecretPrompt.self, capacity: 1) {
          secret_prompt_perform_finish($0, result, &error)
        }
        if let error { return pending.fail(error) }
        // With a value the signal has come, and the other handler reads it: libsecret does not tell
        // whether it was dismissed.
        guard let value else { return pending.end(.serviceGone) }
        g_variant_unref(value)
      }, Unmanaged.passRetained(self).toOpaque())
  }

  /// Whether the person has had their time; announces the wait when it is worth saying.
  func hasPassed(at now: Int) -> Bool {
    if !isAnnounced && now >= start + 700_000 {
      isAnnounced = true
      permission.onWait(permission.subject)
    }
    return now >= start + permission.timeoutSeconds * 1_000_000
  }

  /// Stops waiting. The window stays, and a late answer still counts for the service.
  func end(_ failure: PromptFailure) {
    fail(failure.error)
  }

  private func fail(_ error: UnsafeMutablePointer<GError>?) {
    guard close() else { return g_error_free(error) }
    g_task_return_error(task, error)
  }

  /// The signal `Completed (bv)`.
  private func complete(_ parameters: OpaquePointer) {
    guard let dismissed = g_variant_get_child_value(parameters, 0),
      let box = g_variant_get_child_value(parameters, 1),
      let value = g_variant_get_variant(box)
    else { return }
    defer {
      g_variant_unref(dismissed)
      g_variant_unref(box)
      g_variant_unref(value)
    }
    if g_variant_get_boolean(dismissed) != 0 { return end(.dismissed) }
    if let resultType, g_variant_is_of_type(value, resultType) == 0 { return end(.malformedResult) }
    guard close() else { return }
    g_task_return_pointer(
      task, UnsafeMutableRawPointer(g_variant_ref(value)),
      { if let value = $0 { g_variant_unref(OpaquePointer(value)) } })
  }

  /// Whether it was still open.
  private func close() -> Bool {
    guard !isEnded else { return false }
    isEnded = true
    g_signal_handler_disconnect(prompt, signalHandler)
    if loop.prompt === self { loop.prompt = nil }
    // What comes after the person's answer has its full time.
    loop.restartDeadline()
    return true
  }
}
