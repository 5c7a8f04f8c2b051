internal import CGLib

/// One message on the person's desktop (Desktop Notifications Specification 1.2), with at most one
/// thing to do about it.
public struct Notification: Sendable, Hashable {
  /// What became of a notification.
  public enum Response: Sendable, Hashable {
    /// The person chose the action; the token lets what follows come to the front.
    case chosen(activationToken: String?)
    /// The notification was closed, or its server ended.
    case closed
    /// Nobody reacted in time, or there was nothing to react to.
    case unanswered
  }

  /// Why a notification could not be shown, in the bus's words.
  public struct Unavailable: Error, Hashable {
    /// One line, for a trace.
    public let reason: String
  }

  /// The heading, plain text.
  public var summary: String
  /// The text below, plain; it is escaped for servers that read markup.
  public var body: String
  /// The words on the button, or nil for a message that only informs.
  public var action: String?

  /// Makes a notification; its texts hold no NUL.
  public init(summary: String, body: String, action: String? = nil) {
    self.summary = summary
    self.body = body
    self.action = action
  }

  /// Shows it, and waits for the person when there is something to choose.
  ///
  /// The process ends with the session bus: then there is nobody left to ask.
  ///
  /// - Parameter seconds: how long to wait, at most a day; it is taken back afterwards.
  /// - Returns: what the person did.
  /// - Throws: `Unavailable` when there is no bus, or nobody on it who shows notifications.
  public func show(seconds: Int) throws(Unavailable) -> Response {
    let server = try NotificationServer()
    let capabilities = try server.capabilities()
    let canAct = capabilities.contains("actions")
    let awaited = AwaitedResponse(server)
    let number = try server.notify(
      summary: summary,
      body: capabilities.contains("body-markup") ? NotificationServer.escaped(body) : body,
      action: canAct ? action : nil)
    guard canAct, action != nil else { return .unanswered }
    let response = awaited.wait(for: number, seconds: seconds)
    if response != .closed { server.close(number) }
    return response
  }
}
