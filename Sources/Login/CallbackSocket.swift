import Basics
import CLinux
import Glibc
package import OAuth

/// Where another process hands a waiting sign-in its answer: a socket named after the sign-in's
/// state, which only processes of the same user are heard on.
///
/// The name lives in Linux's abstract namespace (unix(7)), so that nothing is left behind however
/// the sign-in ends. It does not reveal the state.
package final class CallbackSocket: LoginEventSource {
  /// The longest answer, in bytes.
  package static let limit = 8192
  /// How long the other side, a process of ours, may take for all of it.
  private static let timeoutMilliseconds = 2_000

  private let socket: Int32

  package var descriptor: Int32? { socket }

  /// Listens for the answer to one state.
  ///
  /// - Throws: a failure to retry later when the system gives no socket.
  package init(stateDigest: String) throws(LoginError) {
    socket = try Self.makeSocket()
    let isBound = Self.withAddress(stateDigest) { address, length in
      bind(socket, address, length) == 0
    }
    guard isBound, listen(socket, 4) == 0 else {
      throw .noSocket(reason: String(cString: strerror(errno)))
    }
  }

  deinit {
    close(socket)
  }

  package func advance(
    _ expected: AuthorizationResponse.Expectation
  ) -> Result<AuthorizationResponse, OAuthError>? {
    receive().flatMap { Result(query: $0, expected: expected) }
  }

  /// Takes one query that was delivered; nil when there is none, or it is not from this user.
  private func receive() -> String? {
    let peer = accept(socket, nil, nil)
    guard peer >= 0 else { return nil }
    defer { close(peer) }
    _ = fcntl(peer, F_SETFD, FD_CLOEXEC)
    guard clinux_peer_user(peer) == Int(geteuid()) else { return nil }
    // One deadline for all of it: a byte now and then gains no time.
    let deadline = MonotonicClock.milliseconds + Self.timeoutMilliseconds
    var bytes = [UInt8](repeating: 0, count: Self.limit + 1)
    var count = 0
    while count < bytes.count {
      var polled = pollfd(fd: peer, events: Int16(POLLIN), revents: 0)
      let left = deadline - MonotonicClock.milliseconds
      guard left > 0, poll(&polled, 1, Int32(left)) > 0 || errno == EINTR else { return nil }
      if polled.revents == 0 { continue }
      let read = bytes[count...].withUnsafeMutableBytes { recv(peer, $0.baseAddress, $0.count, 0) }
      if read < 0 && errno == EINTR { continue }
      if read <= 0 { break }
      count += read
    }
    guard count <= Self.limit else { return nil }
    return String(validating: bytes[..<count], as: UTF8.self)
  }

  /// Delivers a query to whoever waits for the state with this digest.
  ///
  /// - Returns: whether somebody of this user was waiting.
  package static func deliver(
    _ query: String, toStateDigest digest: String
  ) throws(LoginError) -> Bool {
    let descriptor = try makeSocket()
    defer { close(descriptor) }
    let isConnected = withAddress(digest) { address, length in
      connect(descriptor, address, length) == 0
    }
    guard isConnected, clinux_peer_user(descriptor) == Int(geteuid()) else { return false }
    var limit = timeval(tv_sec: timeoutMilliseconds / 1000, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let bytes = Array(query.utf8)
    return send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
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
