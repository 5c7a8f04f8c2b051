internal import Glibc

/// One connection to a session bus, for a few calls within a fraction of a second.
///
/// It knows method calls, their answers, and the few types they need: no signals, no descriptors,
/// no big-endian peers. Whoever needs more has libraries for it, whose loading alone takes longer
/// than everything here.
public final class BusConnection {
  /// The longest that everything on one connection may take, in milliseconds.
  public static let patience = 500
  /// The longest message that is read, in bytes.
  public static let longestMessage = 1 << 20

  private let socket: Int32
  private let end: Int
  private var received: [UInt8] = []
  private var isWelcome = false
  private var replies: [Int: ReplyMessage] = [:]

  /// Connects, and sends our name and the first calls at once: the bus reads them in order.
  ///
  /// - Parameters:
  ///   - address: a D-Bus address; only that of one Unix socket is understood.
  ///   - calls: with serials from 2 on; 1 is the greeting's.
  /// - Throws: ``BusError/unavailable``, ``BusError/timedOut``.
  public init(address: String, sending calls: MethodCall...) throws(BusError) {
    end = Self.milliseconds + Self.patience
    let address = try SocketAddress(address)
    socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(O_CLOEXEC), 0)
    // Bounds sending, and connecting to a bus whose queue is full.
    var limit = timeval(tv_sec: 0, tv_usec: Self.patience * 1000)
    setsockopt(
      socket, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    guard address.connect(socket) else { throw .unavailable }
    let user = String(getuid()).utf8.map { String($0, radix: 16) }.joined()
    let hello = MethodCall(
      serial: 1, to: "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "Hello")
    try send(Array("\0AUTH EXTERNAL \(user)\r\nBEGIN\r\n".utf8) + hello.bytes, calls)
  }

  deinit { close(socket) }

  /// Sends calls, all at once.
  public func send(_ calls: MethodCall...) throws(BusError) {
    try send([], calls)
  }

  private func send(_ prefix: [UInt8], _ calls: [MethodCall]) throws(BusError) {
    let bytes = calls.reduce(prefix) { $0 + $1.bytes }
    guard Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    else { throw .timedOut }
  }

  /// Waits for the answer to a call.
  ///
  /// - Parameters:
  ///   - serial: the call's.
  ///   - signature: the types that the answer must have.
  /// - Returns: the arguments of the answer.
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

  /// Takes one message from what was received, or the welcome before the first; false while it is
  /// not whole.
  private func takeMessage() throws(BusError) -> Bool {
    if !isWelcome {
      guard received.starts(with: "OK ".utf8.prefix(received.count)) else { throw .refused }
      guard let lineEnd = received.firstIndex(of: UInt8(ascii: "\n")) else { return false }
      received.removeFirst(lineEnd + 1)
      isWelcome = true
    }
    guard let message = try ReplyMessage(received, atMost: Self.longestMessage) else {
      return false
    }
    received.removeFirst(message.length)
    if let serial = message.replySerial {
      // Anything else that answers a call is an error.
      guard message.isReturn else { throw .refused }
      replies[serial] = message
    }
    return true
  }

  private func receive() throws(BusError) {
    var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    let left = end - Self.milliseconds
    guard left > 0, poll(&waiting, 1, Int32(clamping: left)) == 1 else { throw .timedOut }
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    let count = read(socket, &chunk, chunk.count)
    guard count > 0 else { throw .unavailable }
    received += chunk[..<count]
  }

  private static var milliseconds: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }
}

/// Why a bus did not answer.
public enum BusError: Error, Equatable, Sendable {
  /// There is no bus at the address, or the address is not that of one Unix socket, or it left.
  case unavailable
  /// The bus or the program answered with an error.
  case refused
  /// What came is not what the specification, or the caller, says it is.
  case malformed
  /// It took too long.
  case timedOut
}
