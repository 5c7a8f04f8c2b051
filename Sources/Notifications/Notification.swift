// Notifications: one message on the desktop and what the person does with it, over GDBus.
//
// What always holds: no bus is started, and nothing is shown on another user's; every call has a
// timeout; what others send is checked for its type and bounded.

internal import CGLib

/// One message on the person's desktop (Desktop Notifications Specification 1.2), with at most one
/// action.
public struct Notification: Sendable, Hashable {
  /// What became of a notification.
  public enum Outcome: Sendable, Hashable {
    /// The person chose the action; the token lets what follows come to the front.
    case chosen(activationToken: String?)
    /// The notification was closed, or its server ended.
    case closed
    /// Nobody reacted in time, or there was nothing to react to.
    case ignored
  }

  /// Why a notification could not be shown.
  public struct Unavailable: Error, Hashable {
    /// One line, for a trace.
    public let reason: String
  }

  /// The heading, plain text.
  public var summary: String
  /// The text below, plain; it is escaped for servers that read markup.
  public var body: String
  /// The label of the button, or nil for a message that only informs.
  public var action: String?

  /// Makes a notification; its texts hold no NUL.
  public init(summary: String, body: String, action: String? = nil) {
    self.summary = summary
    self.body = body
    self.action = action
  }

  /// Shows it, and waits for the person when there is an action.
  ///
  /// Connecting has no timeout of its own. The process ends with the bus.
  ///
  /// - Parameters:
  ///   - busAddress: the session bus, `unix:` addresses only. No bus is ever started: another one
  ///     would have nobody who shows notifications.
  ///   - timeoutSeconds: how long to wait, at most a day; the notification is closed afterwards.
  /// - Returns: what the person did.
  /// - Throws: `Unavailable` when there is no bus, it belongs to another user, or nobody on it shows
  ///   notifications.
  public func show(
    onBus busAddress: String, timeoutSeconds: Int
  ) throws(Unavailable) -> Outcome {
    let server = try NotificationServer(busAddress: busAddress)
    let capabilities = try server.capabilities()
    let canAct = capabilities.contains("actions")
    // From before it is shown: no signal is missed.
    let signals = NotificationSignals(from: server)
    let id = try server.notify(
      summary: summary,
      body: capabilities.contains("body-markup") ? NotificationServer.escaped(body) : body,
      action: canAct ? action : nil)
    guard canAct, action != nil else { return .ignored }
    let outcome = signals.wait(for: id, timeoutSeconds: timeoutSeconds)
    if outcome != .closed { server.close(id) }
    return outcome
  }
}
