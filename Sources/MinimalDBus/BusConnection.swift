internal import CLinux
internal import Glibc

/// One connection to a session bus, for a few calls within a fraction of a second.
///
/// It knows method calls, their replies, and the few types they need: no signals, no descriptors,
/// no big-endian peers. Loading a library that knows more takes longer than everything here. Who
/// has loaded one may still have the connection made here, and take its socket.
public final class BusConnection {
  /// The longest that everything on one connection may take, in milliseconds.
  public static let timeoutMilliseconds = 500
  /// The most that is read on one connection, in bytes.
  public static let maximumBytes = 1 << 20

  private var socket: Int32
  private let end: Int
  private var received: [UInt8] = []
  private var total = 0
  private var replies: [Int: ReplyMessage] = [:]

  /// Connects, authenticates, and sends our greeting and the first calls at once.
  ///
  /// - Parameters:
  ///   - address: a D-Bus address; only that of one Unix socket is understood.
  ///   - calls: with serials from 2 on; 1 is the greeting's.
  /// - Throws: ``BusError``.
  public convenience init(address: String, sending calls: MethodCall...) throws(BusError) {
    try self.init(authenticatingAt: address)
    let hello = MethodCall(
      serial: 1, to: "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "Hello")
    try send(Array("BEGIN\r\n".utf8) + hello.bytes, calls)
  }

  /// Connects and authenticates, for a library that goes on from there: its own way to the same takes
  /// three rounds, and a call of read(2) for each byte.
  ///
  /// - Parameter address: a D-Bus address; only that of one Unix socket is understood.
  /// - Returns: a socket for the caller to close, over which messages go from now on: the first has to
  ///   be our greeting.
  /// - Throws: ``BusError``.
  public static func authenticatedSocket(at address: String) throws(BusError) -> Int32 {
    let connection = try BusConnection(authenticatingAt: address)
    guard connection.received.isEmpty else { throw .malformed }
    try connection.send(Array("BEGIN\r\n".utf8), [])
    // It is no longer the connection's to close.
    defer { connection.socket = -1 }
    return connection.socket
  }

  private init(authenticatingAt address: String) throws(BusError) {
    end = Self.milliseconds + Self.timeoutMilliseconds
    let address = try SocketAddress(address)
    socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(O_CLOEXEC), 0)
    // Bounds sending, and connecting to a bus whose queue is full.
    var limit = timeval(tv_sec: 0, tv_usec: Self.timeoutMilliseconds * 1000)
    setsockopt(
      socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    guard address.connect(socket) else { throw .unavailable }
    // Whoever listens at a stale or abstract address would see what we ask, and could answer it.
    let user = clinux_peer_user(socket)
    guard user == Int(geteuid()) || user == 0 else { throw .refused }
    try authenticate()
  }

  /// D-Bus Specification, "Authentication Protocol": EXTERNAL without an identity means whoever the
  /// socket says we are, which is right in other user namespaces, too.
  ///
  /// BEGIN is not sent before OK has come, which takes a few microseconds: xdg-dbus-proxy closes the
  /// connection otherwise.
  private func authenticate() throws(BusError) {
    try send(Array("\0AUTH EXTERNAL\r\nDATA\r\n".utf8), [])
    var expected = ["DATA", "OK "]
    while let word = expected.first {
      guard let lineEnd = received.firstIndex(of: UInt8(ascii: "\n")) else {
        try receive()
        continue
      }
      guard received.starts(with: word.utf8) else { throw .refused }
      received.removeFirst(lineEnd + 1)
      expected.removeFirst()
    }
  }

  deinit { if socket >= 0 { close(socket) } }

  /// Sends calls, all at once.
  public func send(_ calls: [MethodCall]) throws(BusError) {
    try send([], calls)
  }

  private func send(_ prefix: [UInt8], _ calls: [MethodCall]) throws(BusError) {
    let bytes = calls.reduce(prefix) { $0 + $1.bytes }
    guard Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    else { throw .timedOut }
  }

  /// Waits for the reply to a call.
  ///
  /// - Parameters:
  ///   - serial: the call's.
  ///   - signature: the types that the reply must have.
  /// - Returns: the arguments of the reply.
  /// - Throws: ``BusError``.
  public func reply(to serial: Int, _ signature: String) throws(BusError) -> MessageReader {
    while true {
      if let reply = replies.removeValue(forKey: serial) {
        guard reply.signature == signature else { throw .malformed }
        return MessageReader(reply.body)
      }
      while try !takeMessage() { try receive() }
    }
  }

  /// Takes one message from what was received; false while it is not whole.
  private func takeMessage() throws(BusError) -> Bool {
    guard let message = try ReplyMessage(received, atMost: Self.maximumBytes) else {
      return false
    }
    received.removeFirst(message.length)
    if let serial = message.replySerial {
      // The only other reply to a call is an error.
      guard message.isReturn else { throw .refused }
      replies[serial] = message
    }
    return true
  }

  private func receive() throws(BusError) {
    var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    let left = end - Self.milliseconds
    guard left > 0, poll(&waiting, 1, Int32(clamping: left)) == 1 else { throw .timedOut }
    let chunk = [UInt8](unsafeUninitializedCapacity: 16 << 10) {
      $1 = max(0, read(socket, $0.baseAddress, $0.count))
    }
    guard !chunk.isEmpty else { throw .unavailable }
    received += chunk
    total += chunk.count
    guard total <= Self.maximumBytes else { throw .malformed }
  }

  private static var milliseconds: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }
}

/// Why a bus did not reply.
public enum BusError: Error, Equatable, Sendable {
  /// There is no bus at the address, or the address is not that of one Unix socket, or it left.
  case unavailable
  /// The bus is another user's, or it or the program replied with an error.
  case refused
  /// What came is not what the specification, or the caller, says it is.
  case malformed
  /// It took too long.
  case timedOut
}
