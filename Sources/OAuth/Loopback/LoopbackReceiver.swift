import Basics
import Glibc

/// Waits on the loopback interface for the browser to come back (RFC 8252 §7.3).
///
/// Anyone on this machine can connect, and so can any web page in the browser. Whatever they send
/// is answered with an error page and forgotten; only the state of the request counts.
public final class LoopbackReceiver {
  /// The most connections served at once; beyond, the oldest one that sent nothing useful goes.
  static let connectionLimit = 16

  /// The port listened on.
  public let port: UInt16
  /// The time one connection gets, in milliseconds; the rest of the world waits no longer for it.
  var patience: Int = 5000
  let listener: Int32

  /// Where the browser shall be sent.
  ///
  /// RFC 8252 §8.3: "the use of "localhost" is NOT RECOMMENDED"; it may resolve to something else.
  public var redirectURI: String { "http://127.0.0.1:\(port)/callback" }

  /// Starts to listen.
  ///
  /// - Parameter port: the port, or 0 for any that is free.
  /// - Throws: `portBusy` or `noLoopback`.
  public init(port: UInt16 = 0) throws(OAuthError) {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    listener = socket(AF_INET, kind, 0)
    guard listener >= 0 else {
      self.port = 0
      throw Self.failure(errno, port: port)
    }
    do throws(OAuthError) {
      self.port = try Self.listen(listener, port: port)
    } catch {
      self.port = 0
      throw error
    }
  }

  deinit {
    if listener >= 0 { Glibc.close(listener) }
  }

  /// Waits until an answer with the right state comes.
  ///
  /// - Parameters:
  ///   - expected: what the answer must show to be ours.
  ///   - channels: other ways by which it may come; the first answer wins.
  ///   - seconds: how long to wait at most.
  /// - Returns: the answer, after its page was delivered.
  /// - Throws: `timedOut`, `noLoopback`, and what ``AuthorizationResponse`` throws for an answer
  ///   with the right state.
  public func waitForResponse(
    _ expected: AuthorizationResponse.Expectation, orFrom channels: [any LoginEventSource] = [],
    seconds: Int
  ) throws(OAuthError) -> AuthorizationResponse {
    let deadline = MonotonicClock.milliseconds + Int(min(max(seconds, 0), 86_400)) * 1000
    var connections: [LoopbackConnection] = []
    while true {
      let start = MonotonicClock.milliseconds
      connections.removeAll { $0.isOver(now: start) }
      guard start < deadline else { throw .timedOut }

      var polled = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
      // poll(2): "If this field is negative, then the corresponding events field is ignored".
      polled += channels.map { pollfd(fd: $0.descriptor ?? -1, events: Int16(POLLIN), revents: 0) }
      polled += connections.map { pollfd(fd: $0.descriptor, events: $0.interest, revents: 0) }
      try Self.wait(&polled, until: connections.map(\.deadline).reduce(deadline, min))

      let now = MonotonicClock.milliseconds
      for (channel, slot) in zip(channels, polled.dropFirst()) where slot.revents != 0 {
        if let result = channel.advance(expected) { return try result.get() }
      }
      let slots = polled.dropFirst(1 + channels.count)
      for (connection, slot) in zip(connections, slots) where slot.revents != 0 {
        guard let reading = connection.advance(now: now) else { continue }
        guard let result = serve(reading, on: connection, expected: expected, now: now) else {
          continue
        }
        Self.finish(connection)
        return try result.get()
      }
      if polled[0].revents != 0 { try accept(into: &connections, now: now) }
    }
  }

  /// Answers one request; returns the outcome when it is the awaited one.
  private func serve(
    _ reading: CallbackRequest.Reading, on connection: LoopbackConnection,
    expected: AuthorizationResponse.Expectation, now: Int
  ) -> Result<AuthorizationResponse, OAuthError>? {
    func ignore(_ status: String, _ text: String) -> Result<AuthorizationResponse, OAuthError>? {
      connection.answer(.ignored(status, text), now: now)
      return nil
    }
    let request: CallbackRequest
    switch reading {
    case .incomplete: return nil
    case .malformed: return ignore("400 Bad Request", "This is not a request we understand.")
    case .tooLarge:
      return ignore("431 Request Header Fields Too Large", "This request is too long.")
    case .complete(let complete): request = complete
    }
    // A page elsewhere can point a name of its own at 127.0.0.1; the browser then tells that name.
    guard request.hosts == ["127.0.0.1:\(port)"] else {
      return ignore("400 Bad Request", "This request is for another host.")
    }
    guard request.method == "GET" else {
      return ignore("405 Method Not Allowed", "Only GET is understood here.")
    }
    guard request.path == "/callback" else {
      return ignore("404 Not Found", "There is nothing here.")
    }
    guard !request.isPrefetch else {
      return ignore("503 Service Unavailable", "This page cannot be fetched in advance.")
    }
    do throws(OAuthError) {
      guard let response = try AuthorizationResponse(query: request.query, expected: expected)
      else {
        return ignore(
          "400 Bad Request", "This answer belongs to another sign-in. Please use the newest tab.")
      }
      connection.answer(.accepted, now: now)
      return .success(response)
    } catch {
      connection.answer(.refused(error), now: now)
      return .failure(error)
    }
  }

  /// Stays until the browser has the page, or the connection's patience ends.
  private static func finish(_ connection: LoopbackConnection) {
    while case let now = MonotonicClock.milliseconds, !connection.isOver(now: now) {
      var polled = [pollfd(fd: connection.descriptor, events: connection.interest, revents: 0)]
      guard (try? wait(&polled, until: connection.deadline)) != nil else { return }
      if polled[0].revents != 0 { _ = connection.advance(now: now) }
    }
  }

  private func accept(
    into connections: inout [LoopbackConnection], now: Int
  ) throws(OAuthError) {
    let descriptor = Glibc.accept(listener, nil, nil)
    guard descriptor >= 0 else {
      let code = errno
      switch code {
      // accept(2): errors pending on the new socket are to be treated like EAGAIN.
      case EAGAIN, EWOULDBLOCK, EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENETUNREACH, EPERM: return
      case EMFILE, ENFILE, ENOBUFS, ENOMEM:
        guard !connections.isEmpty else { throw Self.failure(code, port: port) }
        connections.removeFirst()
        return
      default: throw Self.failure(code, port: port)
      }
    }
    // There is no other thread that could start a program between these calls.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    if connections.count >= Self.connectionLimit {
      connections.remove(at: connections.firstIndex(where: \.isReading) ?? 0)
    }
    connections.append(
      LoopbackConnection(descriptor: descriptor, patience: patience, now: now))
  }

  /// Binds to 127.0.0.1 and listens; returns the port.
  private static func listen(_ listener: Int32, port: UInt16) throws(OAuthError) -> UInt16 {
    // A connection of the last sign-in may linger on the port we registered. On Linux this option
    // lets us past it, but neither us past a listener nor another listener past us.
    var yes: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && Glibc.listen(listener, 16) == 0
          && getsockname(listener, $0, &length) == 0 ? 0 : errno
      }
    }
    guard code == 0 else { throw failure(code, port: port) }
    return UInt16(bigEndian: address.sin_port)
  }

  private static func wait(_ polled: inout [pollfd], until deadline: Int) throws(OAuthError) {
    let left = deadline - MonotonicClock.milliseconds
    let ready = poll(&polled, nfds_t(polled.count), Int32(clamping: max(left, 0)))
    if ready < 0 {
      let code = errno
      guard code == EINTR else { throw failure(code, port: 0) }
      for index in polled.indices { polled[index].revents = 0 }
    }
  }

  private static func failure(_ code: Int32, port: UInt16) -> OAuthError {
    code == EADDRINUSE && port != 0
      ? .portBusy(port) : .noLoopback(reason: String(cString: strerror(code)))
  }
}
