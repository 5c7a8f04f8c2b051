/// What came of asking for a name on the bus.
public enum NameClaim: Sendable, Equatable {
  /// It is ours until it is released, or this process ends.
  case owned
  /// Another connection owns it; its process, where the bus tells.
  case taken(by: Int32?)
  /// The bus does not let us own it, as behind a proxy that lets only some names through.
  case refused
}

/// Names on the bus of the Secret Service: one owner at a time among all that reach the service.
extension SecretService {
  /// Asks for a name, and does not queue for it.
  ///
  /// - Throws: `unavailable`, `timedOut`.
  public func claimName(_ name: String) throws(SecretServiceError) -> NameClaim {
    // DBus specification, RequestName: DBUS_NAME_FLAG_DO_NOT_QUEUE is 4;
    // DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER is 1, …_ALREADY_OWNER is 4.
    let reply: Variant
    do throws(SecretServiceError) {
      reply = try bus.callBus("RequestName", [.string(name), .uint32(4)], reply: "(u)")
    } catch .timedOut {
      throw .timedOut
    } catch {
      guard !bus.isClosed else { throw error }
      return .refused
    }
    if [1, 4].contains(reply[0].uint32 ?? 0) { return .owned }
    let process = try? bus.callBus(
      "GetConnectionUnixProcessID", [.string(name)], reply: "(u)")
    return .taken(by: process?[0].uint32.flatMap { Int32(exactly: $0) })
  }

  /// Gives a name back.
  public func releaseName(_ name: String) {
    _ = try? bus.callBus("ReleaseName", [.string(name)], reply: "(u)")
  }
}
