internal import Glibc

/// One end of a TCP connection, comparable whichever family of socket it belongs to: an IPv4
/// address equals its IPv4-mapped IPv6 form (RFC 4291 §2.5.5.2).
public struct TCPEndpoint: Sendable, Hashable {
  /// The address in the 16 bytes of IPv6, in network order, as two halves.
  private let high: UInt64
  private let low: UInt64
  /// The port in host order.
  public let port: UInt16

  /// Makes an endpoint from 4 or 16 address bytes in network order; nil for any other count.
  init?(bytes: some Collection<UInt8>, port: UInt16) {
    let number = bytes.reduce((high: UInt64(0), low: UInt64(0))) { number, byte in
      (number.high << 8 | number.low >> 56, number.low << 8 | UInt64(byte))
    }
    switch bytes.count {
    case 4: (high, low) = (0, Self.mappedPrefix | number.low)
    case 16: (high, low) = number
    default: return nil
    }
    self.port = port
  }

  /// Makes an endpoint from an IPv4 or IPv6 address as text, without brackets or zone; nil if the
  /// text is no address.
  public init?(address: String, port: UInt16) {
    var bytes = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, address, &bytes) == 1 {
      self.init(bytes: bytes[..<4], port: port)
    } else if inet_pton(AF_INET6, address, &bytes) == 1 {
      self.init(bytes: bytes, port: port)
    } else {
      return nil
    }
  }

  /// The end that `getsockname(2)` or `getpeername(2)` tells.
  private init?(
    of descriptor: Int32,
    _ call: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
  ) {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call(descriptor, $0, &length) }
    }
    guard result == 0 else { return nil }
    let endpoint: TCPEndpoint? = withUnsafeBytes(of: storage) { bytes in
      switch Int32(storage.ss_family) {
      case AF_INET:
        let address = bytes.loadUnaligned(as: sockaddr_in.self)
        return withUnsafeBytes(of: address.sin_addr) {
          TCPEndpoint(bytes: $0, port: UInt16(bigEndian: address.sin_port))
        }
      case AF_INET6:
        let address = bytes.loadUnaligned(as: sockaddr_in6.self)
        return withUnsafeBytes(of: address.sin6_addr) {
          TCPEndpoint(bytes: $0, port: UInt16(bigEndian: address.sin6_port))
        }
      default: return nil
      }
    }
    guard let endpoint else { return nil }
    self = endpoint
  }

  /// Our own end of a connected socket; nil unless it is a TCP socket.
  public init?(localOf descriptor: Int32) {
    self.init(of: descriptor, getsockname)
  }

  /// The other end of a connected socket; nil unless it is a TCP socket and connected.
  public init?(remoteOf descriptor: Int32) {
    self.init(of: descriptor, getpeername)
  }

  /// Whether the address is in 127.0.0.0/8 (RFC 1122 §3.2.1.3) or is `::1` (RFC 4291 §2.5.3).
  public var isLoopback: Bool {
    high == 0 && (low == 1 || (isIPv4 && (low >> 24) & 0xFF == 127))
  }

  /// The listening endpoints that may have taken a connection to this one, the one that Linux
  /// prefers first: this address, any IPv4 address, any address.
  fileprivate var listenerCandidates: [TCPEndpoint] {
    let anyIPv4 = TCPEndpoint(high: 0, low: Self.mappedPrefix, port: port)
    let any = TCPEndpoint(high: 0, low: 0, port: port)
    return isIPv4 ? [self, anyIPv4, any] : [self, any]
  }

  private var isIPv4: Bool { high == 0 && low >> 32 == Self.mappedPrefix >> 32 }

  /// The lower half of `::ffff:0:0/96`.
  private static let mappedPrefix: UInt64 = 0xFFFF << 32

  private init(high: UInt64, low: UInt64, port: UInt16) {
    self.high = high
    self.low = low
    self.port = port
  }
}

/// Which user of this machine is at the other end of a TCP connection over loopback.
///
/// TCP has no counterpart of `SO_PEERCRED`. Linux lists the sockets of our network namespace with
/// their owners in `/proc/self/net/tcp` and `/proc/self/net/tcp6` (proc(5)), and both ends of a
/// loopback connection are in that list. After a heading each line describes one socket:
///
///     sl local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt  uid timeout inode …
///     0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000       0 20473 …
///
/// Addresses are 32-bit words in hexadecimal, each printed as the machine's own integer of four
/// bytes in network order; ports are hexadecimal numbers; state `0A` is `LISTEN`. The uid is given
/// as our user namespace sees it (65534 for a user that it does not map).
///
/// A socket without an inode belongs to no process: nobody has accepted it yet, its process has
/// closed it, or it is in TIME_WAIT. Linux before 6.17 shows uid 0 there, so such a line never
/// counts. Nil means "cannot be told": callers refuse. That happens without `/proc`, for a peer
/// outside our network namespace (NAT, a virtual machine), and for a peer that is gone.
public enum LoopbackPeer {
  /// The user whose program made a connection that we accepted.
  ///
  /// - Parameter descriptor: the accepted socket, still connected.
  /// - Returns: the client's uid; nil if it cannot be told or the client is not on loopback.
  public static func userOfClient(on descriptor: Int32) -> UInt32? {
    guard let ours = TCPEndpoint(localOf: descriptor),
      let theirs = TCPEndpoint(remoteOf: descriptor), theirs.isLoopback
    else { return nil }
    // A connection that is established stays listed, but a list read in pieces may miss a line
    // when others come and go.
    return connectedUser(theirs, to: ours) ?? connectedUser(theirs, to: ours)
  }

  /// The user who serves the port that we are connected to.
  ///
  /// That is the owner of the listening socket when it is root's, who may hand connections to
  /// another user (a web server's workers); otherwise the owner of the accepted socket or, before
  /// it is accepted, of the listening one.
  ///
  /// - Parameters:
  ///   - server: the other end of the connection.
  ///   - local: our end of it.
  /// - Returns: the server's uid; nil if it cannot be told or the server is not on loopback.
  public static func userOfServer(at server: TCPEndpoint, from local: TCPEndpoint) -> UInt32? {
    guard server.isLoopback else { return nil }
    return servingUser(server, local) ?? servingUser(server, local)
  }

  /// Whether a user is the one we run as, or root, who can be anyone.
  public static func isSelfOrRoot(_ user: UInt32) -> Bool {
    user == geteuid() || user == 0
  }

  private static func connectedUser(_ endpoint: TCPEndpoint, to other: TCPEndpoint) -> UInt32? {
    guard let sockets = SocketTable.sockets(onPort: endpoint.port) else { return nil }
    return sockets.first { $0.local == endpoint && $0.remote == other && !$0.isListening }?.user
  }

  private static func servingUser(_ server: TCPEndpoint, _ local: TCPEndpoint) -> UInt32? {
    guard let sockets = SocketTable.sockets(onPort: server.port) else { return nil }
    let listeners = server.listenerCandidates.lazy.map { candidate in
      sockets.filter { $0.isListening && $0.local == candidate }
    }.first { !$0.isEmpty }
    let listener = listeners?.first?.user
    // SO_REUSEPORT lets several sockets listen, but only of one user (socket(7)).
    if let listeners, listeners.contains(where: { $0.user != listener }) { return nil }
    if listener == 0 { return 0 }
    let accepted = sockets.first { $0.local == server && $0.remote == local && !$0.isListening }
    return accepted?.user ?? listener
  }
}

/// The lines of `/proc/self/net/tcp` and `tcp6` for one local port.
enum SocketTable {
  /// A socket that belongs to a process.
  struct Socket: Equatable {
    let local: TCPEndpoint
    let remote: TCPEndpoint
    let isListening: Bool
    let user: UInt32
  }

  /// The most bytes read of one list: some 400,000 sockets.
  private static let maximumBytes = 64 << 20

  /// The sockets at a local port; nil when a list cannot be read whole.
  ///
  /// `tcp6` does not exist where the kernel has no IPv6.
  static func sockets(onPort port: UInt16) -> [Socket]? {
    // `/proc/net` would do as well, but is hidden where only processes are shown (`subset=pid`).
    guard let sockets = read("/proc/self/net/tcp", port) else { return nil }
    let hasIPv6 = access("/proc/self/net/tcp6", F_OK) == 0 || errno != ENOENT
    guard hasIPv6 else { return sockets }
    guard let more = read("/proc/self/net/tcp6", port) else { return nil }
    return sockets + more
  }

  private static func read(_ path: String, _ port: UInt16) -> [Socket]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let ending = Array(":\(hexadecimal(port))".utf8)
    var sockets: [Socket] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var total = 0
    var unfinished: [UInt8] = []
    while total < maximumBytes {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { return nil }
      guard count > 0 else { return sockets }
      total += count
      var rest = buffer[..<count]
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        let line = unfinished + rest[..<end]
        // After many requests there are thousands of lines, and few are of this port.
        let start = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        if start.count > 1, start[1].suffix(ending.count).elementsEqual(ending),
          let socket = socket(line)
        {
          sockets.append(socket)
        }
        unfinished = []
        rest = rest[(end + 1)...]
      }
      unfinished += rest
    }
    return nil
  }

  /// A port as the list has it: four digits, in capitals.
  private static func hexadecimal(_ port: UInt16) -> String {
    let digits = String(port, radix: 16, uppercase: true)
    return String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// One line; nil for the heading and for a socket without a process.
  static func socket(_ line: [UInt8]) -> Socket? {
    let fields = line.split(separator: UInt8(ascii: " "))
    guard fields.count >= 10, let local = endpoint(fields[1]), let remote = endpoint(fields[2]),
      let state = number(fields[3], radix: 16), let user = number(fields[7], radix: 10),
      let inode = number(fields[9], radix: 10), inode != 0, let user = UInt32(exactly: user)
    else { return nil }
    return Socket(local: local, remote: remote, isListening: state == 0x0A, user: user)
  }

  /// An address and a port such as `0100007F:1F90`.
  private static func endpoint(_ field: ArraySlice<UInt8>) -> TCPEndpoint? {
    let parts = field.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].count == 8 || parts[0].count == 32,
      let port = number(parts[1], radix: 16), let port = UInt16(exactly: port)
    else { return nil }
    var bytes: [UInt8] = []
    for start in stride(from: parts[0].startIndex, to: parts[0].endIndex, by: 8) {
      guard let word = number(parts[0][start..<start + 8], radix: 16) else { return nil }
      withUnsafeBytes(of: UInt32(truncatingIfNeeded: word)) { bytes += $0 }
    }
    return TCPEndpoint(bytes: bytes, port: port)
  }

  private static func number(_ field: ArraySlice<UInt8>, radix: Int) -> UInt64? {
    UInt64(String(decoding: field, as: UTF8.self), radix: radix)
  }
}
