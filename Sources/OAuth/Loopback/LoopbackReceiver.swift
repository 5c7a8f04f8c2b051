import Basics
import Glibc
import Secrets

/// Waits on the loopback interface for the browser to come back (RFC 8252 §7.3).
///
/// Only programs of this user (and root's) are talked to. Among them is any web page in the
/// browser: whatever it sends gets an error page, and only the state of the request counts.
public final class LoopbackReceiver {
  /// The most connections served at once; beyond, the oldest one that sent no request is closed.
  static let connectionLimit = 16
  /// How long other requests are still served once the response is there, in milliseconds.
  var closingTimeoutMilliseconds = 1000

  /// The port listened on.
  public let port: UInt16
  /// How long one connection may take in all, in milliseconds.
  var connectionTimeoutMilliseconds = 10_000
  /// Decides whose connections are served, by the uid of the other end; nil when it cannot be told.
  var admits: (UInt32?) -> Bool = { $0.map(LoopbackPeer.isSelfOrRoot) ?? false }
  /// 127.0.0.1 where there is IPv4, then `::1` where there is IPv6.
  let listeners: [LoopbackListener]
  private let host: String
  private var startPage: StartPage?

  /// Where the browser is sent back to.
  ///
  /// RFC 8252 §8.3: "the use of "localhost" is NOT RECOMMENDED"; it may resolve to something else.
  public var redirectURI: String { "http://\(host):\(port)/callback" }

  /// Starts to listen.
  ///
  /// - Parameter port: the port, or 0 for any that is free.
  /// - Throws: `portBusy` or `noLoopback`.
  public init(port: UInt16 = 0) throws(OAuthError) {
    // RFC 8252 §7.3: "it is RECOMMENDED that clients attempt to bind to the loopback interface
    // using both IPv4 and IPv6 and use whichever is available."
    do throws(OAuthError) {
      let listener = try LoopbackListener(port: port)
      self.port = listener.port
      host = "127.0.0.1"
      listeners = [listener, try? LoopbackListener(ipv6Port: listener.port)].compactMap(\.self)
    } catch {
      guard case .noLoopback = error, let listener = try? LoopbackListener(ipv6Port: port) else {
        throw error
      }
      self.port = listener.port
      host = "[::1]"
      listeners = [listener]
    }
  }

  /// An address to start a browser with in place of an authorization URL, so that no list of
  /// programs shows state and challenge. It leads there once, for a browser of this user.
  ///
  /// - Parameter url: the authorization URL.
  /// - Returns: the address, good while ``waitForResponse(_:orFrom:seconds:)`` waits.
  public func startPage(for url: String) -> String {
    let page = StartPage(leadingTo: url)
    startPage = page
    return "http://\(host):\(port)\(page.path)"
  }

  /// Waits until a response with the right state comes.
  ///
  /// - Parameters:
  ///   - expected: what the response must show to be ours.
  ///   - channels: other ways by which it may come; the first response wins.
  ///   - seconds: how long to wait at most.
  /// - Returns: the response, after its page was delivered.
  /// - Throws: `timedOut`, `noLoopback`, and what ``AuthorizationResponse`` throws for a response
  ///   with the right state.
  public func waitForResponse(
    _ expected: AuthorizationResponse.Expectation, orFrom channels: [any LoginEventSource] = [],
    seconds: Int
  ) throws(OAuthError) -> AuthorizationResponse {
    var deadline = MonotonicClock.milliseconds + min(max(seconds, 0), 86_400) * 1000
    var connections: [LoopbackConnection] = []
    var outcome: Outcome?
    while true {
      let start = MonotonicClock.milliseconds
      connections.removeAll { $0.isOver(now: start) }
      // The page is delivered, and so is that of a second tab with the same response.
      if let outcome, start >= deadline || !connections.contains(where: \.isBusy) {
        return try outcome.get()
      }
      guard start < deadline else { throw .timedOut }

      // poll(2): "If this field is negative, then the corresponding events field is ignored".
      let watched = outcome == nil ? channels.map { $0.descriptor ?? -1 } : channels.map { _ in -1 }
      var polled = (listeners.map(\.descriptor) + watched).map {
        pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
      }
      polled += connections.map { pollfd(fd: $0.descriptor, events: $0.interest, revents: 0) }
      try Self.wait(&polled, until: connections.map(\.deadline).reduce(deadline, min))

      let now = MonotonicClock.milliseconds
      for (channel, slot) in zip(channels, polled.dropFirst(listeners.count))
      where slot.revents != 0 {
        if let result = channel.advance(expected) { return try result.get() }
      }
      let slots = polled.dropFirst(listeners.count + channels.count)
      for (connection, slot) in zip(connections, slots) where slot.revents != 0 {
        guard let reading = connection.advance(now: now),
          let result = serve(reading, on: connection, expected, outcome, now: now), outcome == nil
        else { continue }
        outcome = result
        deadline = now + closingTimeoutMilliseconds
      }
      for (listener, slot) in zip(listeners, polled) where slot.revents != 0 {
        try accept(from: listener, into: &connections, now: now)
      }
    }
  }

  private typealias Outcome = Result<AuthorizationResponse, OAuthError>

  /// Responds to one request; returns the outcome when it is the awaited one. An outcome that is
  /// known already stands, and its page is shown again.
  private func serve(
    _ reading: CallbackRequest.Reading, on connection: LoopbackConnection,
    _ expected: AuthorizationResponse.Expectation, _ earlier: Outcome?, now: Int
  ) -> Outcome? {
    func show(_ page: CallbackPage) { connection.respond(page.response, now: now) }
    func ignore(_ status: String, _ text: String) -> Outcome? {
      show(.ignored(status, text, expected))
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
    guard
      ["127.0.0.1:\(port)", "[::1]:\(port)", "localhost:\(port)"].contains(where: {
        request.hosts == [$0]
      })
    else {
      return ignore("400 Bad Request", "This request is for another host.")
    }
    // A server that redirects with 307 makes the browser repeat the POST of its consent page.
    // Some servers end the path of every redirect URI with a slash.
    let isCallback =
      request.path == "/callback" || request.path == "/callback/" && !request.query.isEmpty
    guard request.method == "GET" || (request.method == "POST" && isCallback)
    else { return ignore("405 Method Not Allowed", "Only GET is understood here.") }
    guard !request.isPrefetch else {
      return ignore("503 Service Unavailable", "This page cannot be fetched in advance.")
    }
    if startPage?.matches(request.path) == true {
      guard let redirect = startPage?.response() else {
        return ignore("410 Gone", "This link has led to the sign-in already, and does so once.")
      }
      connection.respond(redirect, now: now)
      return nil
    }
    guard isCallback else {
      return ignore("404 Not Found", "There is nothing here.")
    }
    let outcome: Outcome?
    do throws(OAuthError) {
      outcome = try AuthorizationResponse(query: request.query, expected: expected)
        .map(Outcome.success)
    } catch {
      outcome = .failure(error)
    }
    guard let outcome else {
      return ignore(
        "400 Bad Request", "This tab belongs to another sign-in. Please use the newest tab.")
    }
    switch earlier ?? outcome {
    case .success: show(.accepted(expected))
    case .failure(let error): show(.refused(error, expected))
    }
    return outcome
  }

  private func accept(
    from listener: LoopbackListener, into connections: inout [LoopbackConnection], now: Int
  ) throws(OAuthError) {
    let descriptor = Glibc.accept(listener.descriptor, nil, nil)
    guard descriptor >= 0 else {
      let code = errno
      switch code {
      // accept(2): errors pending on the new socket are to be treated like EAGAIN.
      case EAGAIN, EWOULDBLOCK, EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENETUNREACH, EPERM: return
      case EMFILE, ENFILE, ENOBUFS, ENOMEM:
        guard !connections.isEmpty else { throw LoopbackListener.failure(code) }
        connections.removeFirst()
        return
      default: throw LoopbackListener.failure(code)
      }
    }
    // There is no other thread that could start a program between these calls.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    let connection = LoopbackConnection(
      descriptor: descriptor, deadline: now + connectionTimeoutMilliseconds)
    // Another user could have the response of another account: the state is no proof once that
    // user has seen the authorization URL.
    guard admits(LoopbackPeer.userOfClient(on: descriptor)) else { return }
    if connections.count >= Self.connectionLimit {
      connections.remove(at: connections.firstIndex(where: \.isReading) ?? 0)
    }
    connections.append(connection)
  }

  private static func wait(_ polled: inout [pollfd], until deadline: Int) throws(OAuthError) {
    let left = deadline - MonotonicClock.milliseconds
    let ready = poll(&polled, nfds_t(polled.count), Int32(clamping: max(left, 0)))
    if ready < 0 {
      let code = errno
      guard code == EINTR else { throw LoopbackListener.failure(code) }
      for index in polled.indices { polled[index].revents = 0 }
    }
  }
}
