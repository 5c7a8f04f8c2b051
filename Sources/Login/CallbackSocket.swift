import Basics
import CLinux
import Glibc
package import OAuth

/// Where another process hands a waiting sign-in its response: a socket named after the sign-in's
/// state, to which only processes of the same user are listened to.
///
/// The name lives in Linux's abstract namespace (unix(7)), so that nothing is left behind however
/// the sign-in ends. It does not reveal the state. Nothing here waits: who delivers slowly, or
/// nothing at all, keeps nobody else from delivering.
package final class CallbackSocket: LoginEventSource {
  /// The longest response, in bytes.
  package static let limit = 8192
  /// How long the other side, a process of ours, may take for all of it.
  private static let timeoutMilliseconds = 2_000
  /// The most connections at once; beyond, the oldest is closed.
  private static let connectionLimit = 8
  /// How often we connect, as the waiting side may close a connection while many others come.
  private static let deliveryAttempts = 8

  /// A connection whose end has not come yet.
  private struct Delivery {
    let peer: Int32
    /// It is never moved: a byte now and then gains no time.
    let deadline: Int
    var bytes: [UInt8] = []
  }

  private let socket: Int32
  /// The epoll(7) instance that stands for the socket and all connections.
  private let watch: Int32
  private var deliveries: [Delivery] = []

  package var descriptor: Int32? { watch }

  /// Listens for the response to one state.
  ///
  /// - Throws: a failure to retry later when the system gives no socket.
  package init(stateDigest: String) throws(LoginError) {
    socket = try Self.makeSocket()
    watch = epoll_create1(Int32(EPOLL_CLOEXEC))
    _ = fcntl(socket, F_SETFL, O_NONBLOCK)
    let isBound = Self.withAddress(stateDigest) { address, length in
      bind(socket, address, length) == 0
    }
    guard isBound, listen(socket, 4) == 0, watches(socket) else {
      throw .noSocket(reason: String(cString: strerror(errno)))
    }
  }

  deinit {
    deliveries.forEach { close($0.peer) }
    close(watch)
    close(socket)
  }

  package func advance(
    _ expected: AuthorizationResponse.Expectation
  ) -> Result<AuthorizationResponse, OAuthError>? {
    var events = [epoll_event](repeating: epoll_event(), count: Self.connectionLimit + 1)
    let count = epoll_wait(watch, &events, Int32(events.count), 0)
    for event in events.prefix(max(0, Int(count))) {
      if event.data.fd == socket {
        // The oldest makes room for a new one, but is not lost if it has come to its end.
        if deliveries.count >= Self.connectionLimit, let oldest = deliveries.first?.peer {
          if let result = result(from: oldest, expected) { return result }
          if deliveries.first?.peer == oldest { close(deliveries.removeFirst().peer) }
        }
        accept()
      } else if let result = result(from: event.data.fd, expected) {
        return result
      }
    }
    return nil
  }

  private func result(
    from peer: Int32, _ expected: AuthorizationResponse.Expectation
  ) -> Result<AuthorizationResponse, OAuthError>? {
    receive(from: peer).flatMap { Result(query: $0, expected: expected) }
  }

  private func accept() {
    let peer = Glibc.accept(socket, nil, nil)
    guard peer >= 0 else { return }
    _ = fcntl(peer, F_SETFD, FD_CLOEXEC)
    _ = fcntl(peer, F_SETFL, O_NONBLOCK)
    guard clinux_peer_user(peer) == Int(geteuid()), watches(peer) else {
      close(peer)
      return
    }
    deliveries.append(
      Delivery(peer: peer, deadline: MonotonicClock.milliseconds + Self.timeoutMilliseconds))
  }

  /// Takes what has come of a query; nil while it is not whole, and for one that is too late, too
  /// long or no text. One that is whole is not too late: it may be we who were busy.
  private func receive(from peer: Int32) -> String? {
    guard let index = deliveries.firstIndex(where: { $0.peer == peer }) else { return nil }
    var chunk = [UInt8](repeating: 0, count: Self.limit + 1)
    var count = 0
    repeat {
      count = recv(peer, &chunk, chunk.count, 0)
      deliveries[index].bytes += chunk.prefix(max(0, count))
    } while (count > 0 && deliveries[index].bytes.count <= Self.limit)
      || (count < 0 && errno == EINTR)
    let delivery = deliveries[index]
    let isWhole = count == 0
    let isHopeless =
      count > 0 || (count < 0 && errno != EAGAIN)
      || MonotonicClock.milliseconds >= delivery.deadline
    guard isWhole || isHopeless else { return nil }
    deliveries.remove(at: index)
    close(peer)
    return isWhole ? String(validating: delivery.bytes, as: UTF8.self) : nil
  }

  private func watches(_ descriptor: Int32) -> Bool {
    var event = epoll_event()
    event.events = EPOLLIN.rawValue
    event.data.fd = descriptor
    return epoll_ctl(watch, EPOLL_CTL_ADD, descriptor, &event) == 0
  }

  /// Delivers a query to whoever waits for the state with this digest.
  ///
  /// - Returns: whether somebody of this user was waiting.
  package static func deliver(
    _ query: String, toStateDigest digest: String
  ) throws(LoginError) -> Bool {
    let bytes = Array(query.utf8)
    for _ in 0..<deliveryAttempts {
      let descriptor = try makeSocket()
      defer { close(descriptor) }
      let isConnected = withAddress(digest) { address, length in
        connect(descriptor, address, length) == 0
      }
      guard isConnected, clinux_peer_user(descriptor) == Int(geteuid()) else { return false }
      var limit = timeval(tv_sec: timeoutMilliseconds / 1000, tv_usec: 0)
      setsockopt(
        descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
      if send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count { return true }
    }
    return false
  }

  private static func makeSocket() throws(LoginError) -> Int32 {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = Glibc.socket(AF_UNIX, kind, 0)
    guard descriptor >= 0 else { throw .noSocket(reason: String(cString: strerror(errno))) }
    return descriptor
  }

  private static func withAddress(
    _ digest: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool
  ) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // unix(7): an abstract address has a NUL as the first byte of its name.
    let name = [0] + Array("coder-cred/\(geteuid())/\(digest)".utf8)
    guard name.count <= MemoryLayout.size(ofValue: address.sun_path) else { return false }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
    }
  }
}
