internal import CSecret

/// The one thing that may ask the user.
extension SecretService {
  private static let prompt = "org.freedesktop.Secret.Prompt"

  /// Unlocks the default collection, showing the desktop's prompt if the service needs one.
  ///
  /// The prompt is taken down again when it has not been answered in time, but a service that does
  /// not take it down cannot hold us.
  ///
  /// - Parameter timeoutSeconds: how long the user may take, at most a day.
  /// - Throws: `dismissed` when the user declined or nothing could ask them, `timedOut`,
  ///   `unavailable` when there is no default collection or the service went away.
  public func unlock(timeoutSeconds: Int) throws(SecretServiceError) {
    guard let collection = try defaultCollection() else { throw Self.noDefaultCollection }
    if let prompt = try requestUnlock(collection) {
      try show(prompt, timeoutSeconds: timeoutSeconds)
    }
    guard try !isLocked(collection, Self.collection) else { throw .dismissed }
  }

  /// Unlocks the default collection if that takes no question, and shows nothing if it does.
  ///
  /// A keyring without a password, as users who log in automatically have, starts locked in
  /// gnome-keyring and opens at the mere request. Whoever searches or stores gets this for free.
  ///
  /// - Returns: whether the default collection is unlocked now.
  /// - Throws: `unavailable`, `timedOut`.
  public func unlockWithoutAsking() throws(SecretServiceError) -> Bool {
    guard let collection = try defaultCollection(), try requestUnlock(collection) == nil else {
      return false
    }
    return try !isLocked(collection, Self.collection)
  }

  /// Asks for an unlock; the path of the prompt it takes, or `nil` when it takes none.
  private func requestUnlock(_ collection: String) throws(SecretServiceError) -> String? {
    do throws(SecretServiceError) {
      let answer = try bus.call(
        Self.root, Self.service, "Unlock", [.array("o", [.path(collection)])], reply: "(aoo)")
      guard let prompt = answer[1].text, prompt != Self.none else { return nil }
      return prompt
    } catch .noSuchItem {
      throw Self.noDefaultCollection
    }
  }

  /// What the signals of a prompt leave for whoever waits.
  private final class Answer {
    var isDismissed: Bool?
    var isServiceGone = false
  }

  private func show(_ path: String, timeoutSeconds: Int) throws(SecretServiceError) {
    let answer = Answer()
    let patience = MainContextWait(seconds: timeoutSeconds)
    let completed = subscribe(bus.owner, Self.prompt, "Completed", path, nil, answer) {
      _, _, _, _, _, parameters, data in
      guard let data, let parameters else { return }
      let variant = Variant(taking: g_variant_ref(parameters))
      // One that is not `(bv)` is not an answer: whoever sent it, the wait goes on.
      guard variant.hasType("(bv)") else { return }
      Unmanaged<Answer>.fromOpaque(data).takeUnretainedValue().isDismissed = variant[0].bool
    }
    defer { g_dbus_connection_signal_unsubscribe(bus.connection, completed) }
    let gone = subscribe(
      "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged", "/org/freedesktop/DBus",
      bus.owner, answer
    ) { _, _, _, _, _, _, data in
      guard let data else { return }
      Unmanaged<Answer>.fromOpaque(data).takeUnretainedValue().isServiceGone = true
    }
    defer { g_dbus_connection_signal_unsubscribe(bus.connection, gone) }

    _ = try bus.call(
      path, Self.prompt, "Prompt", [.string("")], reply: "()",
      milliseconds: min(patience.milliseconds, bus.timeoutSeconds * 1000))
    let isAnswered = patience.wait {
      answer.isDismissed != nil || answer.isServiceGone || bus.isClosed
    }
    guard isAnswered else {
      // Best effort: whether it is taken down or not, our time is up.
      _ = try? bus.call(path, Self.prompt, "Dismiss", [], reply: "()", milliseconds: 200)
      throw .timedOut
    }
    guard let isDismissed = answer.isDismissed else {
      throw .unavailable(reason: "the Secret Service went away while it was asking")
    }
    if isDismissed { throw .dismissed }
  }

  /// Listens until unsubscribed; GLib holds its own reference to `answer`.
  private func subscribe(
    _ sender: String, _ interface: String, _ signal: String, _ path: String, _ first: String?,
    _ answer: Answer, _ callback: @escaping GDBusSignalCallback
  ) -> UInt32 {
    g_dbus_connection_signal_subscribe(
      bus.connection, sender, interface, signal, path, first, G_DBUS_SIGNAL_FLAGS_NONE, callback,
      Unmanaged.passRetained(answer).toOpaque(),
      { data in
        if let data { Unmanaged<AnyObject>.fromOpaque(data).release() }
      })
  }
}
