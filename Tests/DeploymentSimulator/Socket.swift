import Glibc

/// One stream socket with deadlines on both directions.
struct Socket: Sendable {
  let descriptor: Int32

  /// Monotonic seconds.
  static func clock() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private func isReady(_ events: Int32, until deadline: Double) -> Bool {
    while true {
      let left = deadline - Self.clock()
      guard left > 0 else { return false }
      var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
      let count = poll(&entry, 1, Int32(min(left * 1000 + 1, 60_000)))
      if count > 0 { return true }
      if count < 0 && errno != EINTR { return false }
    }
  }

  /// Up to `limit` bytes; empty at the end of the stream, nil on a failure or at the deadline.
  func receive(_ limit: Int, until deadline: Double) -> [UInt8]? {
    while isReady(POLLIN, until: deadline) {
      var buffer = [UInt8](repeating: 0, count: limit)
      let count = recv(descriptor, &buffer, limit, Int32(MSG_DONTWAIT))
      if count >= 0 { return Array(buffer[..<count]) }
      if errno != EAGAIN && errno != EINTR { return nil }
    }
    return nil
  }

  /// False when the other side went away or the deadline passed.
  func send(_ bytes: [UInt8], until deadline: Double) -> Bool {
    var sent = 0
    while sent < bytes.count {
      guard isReady(POLLOUT, until: deadline) else { return false }
      let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.send(descriptor, buffer.baseAddress?.advanced(by: sent), bytes.count - sent, flags)
      }
      if count >= 0 {
        sent += count
      } else if errno != EAGAIN && errno != EINTR {
        return false
      }
    }
    return true
  }

  /// Ends our direction and reads what is left, so that the response is not lost to a reset.
  func finish() {
    shutdown(descriptor, Int32(SHUT_WR))
    let deadline = Self.clock() + 1
    while let bytes = receive(65_536, until: deadline), !bytes.isEmpty {}
  }

  /// A listening (`bound` true) or connected socket on a loopback address; nil with `errno` set.
  static func open(host: String, port: Int, bound: Bool) -> Socket? {
    let isV6 = host.contains(":")
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(isV6 ? AF_INET6 : AF_INET, kind, 0)
    guard descriptor >= 0 else { return nil }
    var one: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
    let network = in_port_t(truncatingIfNeeded: port).bigEndian
    var result: Int32 = -1
    if isV6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = network
      inet_pton(AF_INET6, host, &address.sin6_addr)
      result = attach(descriptor, &address, MemoryLayout<sockaddr_in6>.size, bound)
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = network
      inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &address.sin_addr)
      result = attach(descriptor, &address, MemoryLayout<sockaddr_in>.size, bound)
    }
    if result == 0 && bound { result = listen(descriptor, 1024) }
    guard result == 0 else {
      let reason = errno
      close(descriptor)
      errno = reason
      return nil
    }
    return Socket(descriptor: descriptor)
  }

  private static func attach(
    _ descriptor: Int32, _ address: UnsafeMutableRawPointer, _ size: Int, _ bound: Bool
  ) -> Int32 {
    let pointer = address.assumingMemoryBound(to: sockaddr.self)
    return bound
      ? bind(descriptor, pointer, socklen_t(size)) : connect(descriptor, pointer, socklen_t(size))
  }

  /// The port this socket is bound to.
  var port: Int {
    var address = sockaddr_in6()
    var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    _ = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    // The port is at the same offset in sockaddr_in and sockaddr_in6.
    return Int(in_port_t(bigEndian: address.sin6_port))
  }
}
