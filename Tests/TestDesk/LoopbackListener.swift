import Glibc
import Synchronization
import Testing

/// A TCP port of 127.0.0.1 that another program listens on.
package final class LoopbackListener {
  package let port: Int
  private let socket: Descriptor

  /// Listens on a port, or on any free one; records an issue when it is taken.
  package init(port: Int? = nil) throws {
    var candidate = try port ?? Self.nextUnassigned()
    var listening = Self.listen(on: candidate)
    while port == nil, listening == nil, errno == EADDRINUSE {
      candidate = try Self.nextUnassigned()
      listening = Self.listen(on: candidate)
    }
    self.port = candidate
    socket = try #require(listening, "port \(candidate)")
  }

  /// Frees the port.
  package func close() {
    // A child that is just being started has a copy.
    shutdown(socket.number, Int32(SHUT_RDWR))
    socket.close()
  }

  /// A port that nobody listens on, to be listened on later, or to lead nowhere.
  package static func freePort() throws -> Int {
    let listener = try LoopbackListener()
    defer { listener.close() }
    return listener.port
  }

  /// Ports to be handed out, each once. They are below those that Linux gives to who names none
  /// (`ip_local_port_range`), so one that was free remains free.
  private static let unassigned = Mutex((20_000..<32_000).shuffled())

  private static func nextUnassigned() throws -> Int {
    try #require(unassigned.withLock { $0.popLast() }, "no port is left")
  }

  private static func listen(on port: Int) -> Descriptor? {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let socket = Descriptor(Glibc.socket(AF_INET, type, 0))
    var yes: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    setsockopt(socket.number, SOL_SOCKET, SO_REUSEADDR, &yes, size)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    let isBound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    return isBound && Glibc.listen(socket.number, 1) == 0 ? socket : nil
  }
}
