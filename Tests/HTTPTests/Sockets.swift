import Foundation
import Glibc

/// A TCP socket on 127.0.0.1 that the kernel gave a port.
struct BoundSocket {
  struct Failure: Error { let errno: Int32 }

  let descriptor: Int32
  let port: UInt16

  /// Binds; listens only if asked, so that otherwise the port refuses connections.
  init(listening: Bool) throws {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_INET, type, 0)
    guard descriptor >= 0 else { throw Failure(errno: errno) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let done = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    self.descriptor = descriptor
    port = UInt16(bigEndian: address.sin_port)
    guard done, !listening || listen(descriptor, 32) == 0 else {
      let cause = errno
      close(descriptor)
      throw Failure(errno: cause)
    }
  }

  /// Whether something on this machine accepts connections at the port.
  static func isOpen(_ port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}

/// One connection to a ``RawServer``.
struct RawConnection {
  let descriptor: Int32
  /// How many connections came before this one.
  let index: Int
  let server: RawServer

  /// Reads one request with its body and records it; nil when the client is gone.
  @discardableResult
  func readRequest() -> String? {
    var bytes: [UInt8] = []
    var whole: Int?
    while true {
      if whole == nil, let range = Data(bytes).range(of: Data("\r\n\r\n".utf8)) {
        let lines = String(decoding: bytes[..<range.lowerBound], as: UTF8.self).lowercased()
          .components(separatedBy: "\r\n")
        let length = lines.first { $0.hasPrefix("content-length: ") }
          .flatMap { Int($0.dropFirst("content-length: ".count)) }
        whole = range.upperBound + (length ?? 0)
      }
      if let whole, bytes.count >= whole {
        let request = String(decoding: bytes, as: UTF8.self)
        server.record(request)
        return request
      }
      guard let more = read() else { return nil }
      bytes += more
    }
  }

  /// Sends text; false when the client is gone.
  @discardableResult
  func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  /// Sends bytes; false when the client is gone.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// Reads a request and sends an answer.
  func answer(_ text: String) {
    guard readRequest() != nil else { return }
    send(text)
  }

  /// Waits, a minute at most, until the client hangs up.
  func waitForHangUp() {
    while read() != nil {}
  }

  /// Closes with a reset instead of a farewell.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
  }

  private func read() -> [UInt8]? {
    var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&poller, 1, 60_000) == 1 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    return count > 0 ? Array(buffer[..<count]) : nil
  }
}

/// A server that says exactly what a test tells it to say, byte for byte.
final class RawServer: @unchecked Sendable {
  let port: UInt16
  private let lock = NSLock()
  private var recorded: [String] = []
  private var connections = 0

  private init(port: UInt16) {
    self.port = port
  }

  /// Runs a server while the body runs; each connection has its own thread.
  static func run(
    _ script: @escaping @Sendable (RawConnection) -> Void,
    while body: (RawServer) throws -> Void
  ) throws {
    let socket = try BoundSocket(listening: true)
    let server = RawServer(port: socket.port)
    Thread.detachNewThread {
      while true {
        let descriptor = accept(socket.descriptor, nil, nil)
        guard descriptor >= 0 else {
          // EINVAL: it was shut down. Whatever else happens, the number stays ours until then.
          if errno == EINVAL { break }
          usleep(1_000)
          continue
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        let index = server.nextIndex()
        Thread.detachNewThread {
          script(RawConnection(descriptor: descriptor, index: index, server: server))
          close(descriptor)
        }
      }
      close(socket.descriptor)
    }
    // Ends `accept4`, and with it the thread, which closes the socket.
    defer { shutdown(socket.descriptor, Int32(SHUT_RDWR)) }
    try body(server)
  }

  /// Runs a server that gives every connection's first request the same answer, then hangs up.
  static func answering(_ text: String, while body: (RawServer) throws -> Void) throws {
    try run({ $0.answer(text) }, while: body)
  }

  /// The address of a path here.
  func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

  /// Every request read so far, heads and bodies.
  var requests: [String] { lock.withLock { recorded } }

  /// How many connections were accepted.
  var connectionCount: Int { lock.withLock { connections } }

  fileprivate func record(_ request: String) {
    lock.withLock { recorded.append(request) }
  }

  private func nextIndex() -> Int {
    lock.withLock {
      connections += 1
      return connections - 1
    }
  }
}
