import Glibc

/// A socket that listens on one loopback address.
final class LoopbackListener {
  let descriptor: Int32
  let port: UInt16

  /// Listens on 127.0.0.1.
  ///
  /// - Parameter port: the port, or 0 for any that is free.
  /// - Throws: `portBusy` or `noLoopback`.
  convenience init(port: UInt16) throws(OAuthError) {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    try self.init(AF_INET, address, port: port)
  }

  /// Listens on `::1`.
  convenience init(ipv6Port port: UInt16) throws(OAuthError) {
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = port.bigEndian
    withUnsafeMutableBytes(of: &address.sin6_addr) { $0[15] = 1 }
    try self.init(AF_INET6, address, port: port)
  }

  private init(_ family: Int32, _ address: some Any, port: UInt16) throws(OAuthError) {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = socket(family, kind, 0)
    self.descriptor = descriptor
    guard descriptor >= 0 else {
      self.port = 0
      throw Self.failure(errno, port: port)
    }
    // A connection of the last sign-in may linger on the port we registered. On Linux this option
    // lets us past it, but neither us past a listener nor another listener past us.
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var storage = address
    var length = socklen_t(MemoryLayout.size(ofValue: address))
    let code = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && listen(descriptor, 16) == 0
          && getsockname(descriptor, $0, &length) == 0 ? 0 : errno
      }
    }
    // The port is at the same place in both kinds of address.
    self.port = withUnsafeBytes(of: storage) { UInt16($0[2]) << 8 | UInt16($0[3]) }
    guard code == 0 else { throw Self.failure(code, port: port) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// What a failed system call means.
  static func failure(_ code: Int32, port: UInt16 = 0) -> OAuthError {
    code == EADDRINUSE && port != 0
      ? .portBusy(port) : .noLoopback(reason: String(cString: strerror(code)))
  }
}
