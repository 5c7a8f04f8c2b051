import Glibc

/// One browser connection to the loopback receiver: reads a head, writes a response, closes.
final class LoopbackConnection {
  /// How long to wait for the other side to close after the response is sent.
  private static let closingTimeoutMilliseconds = 500

  private enum Phase { case reading, writing, draining, closed }

  let descriptor: Int32
  /// When the connection is given up, on the monotonic clock. It is never moved to a later time, so
  /// that sending slowly gains nothing.
  private(set) var deadline: Int
  private var phase = Phase.reading
  private var head: [UInt8] = []
  private var unsent: ArraySlice<UInt8> = []

  init(descriptor: Int32, deadline: Int) {
    self.descriptor = descriptor
    self.deadline = deadline
  }

  deinit { Glibc.close(descriptor) }

  /// Whether no whole request has come yet.
  var isReading: Bool { phase == .reading }

  /// Whether the other side has begun something: sent a part of a request, or is still to take its
  /// response.
  var isBusy: Bool {
    switch phase {
    case .reading: !head.isEmpty
    case .writing, .draining: true
    case .closed: false
    }
  }

  /// Whether nothing more is to be done here.
  func isOver(now: Int) -> Bool { phase == .closed || now >= deadline }

  /// The events to poll for.
  var interest: Int16 { Int16(phase == .writing ? POLLOUT : POLLIN) }

  /// Takes what has come; returns the head's reading while it matters, nil otherwise.
  func advance(now: Int) -> CallbackRequest.Reading? {
    switch phase {
    case .reading:
      guard let bytes = receive() else { return nil }
      head += bytes
      return CallbackRequest.read(head)
    case .writing:
      write(now: now)
      return nil
    case .draining:
      // RFC 9112 §9.6: "If a server performs an immediate close of a TCP connection, there is a
      // significant risk that the client will not be able to read the last HTTP response."
      _ = receive()
      return nil
    case .closed:
      return nil
    }
  }

  /// Sends a whole response and ends the connection.
  func respond(_ response: [UInt8], now: Int) {
    unsent = response[...]
    head = []
    phase = .writing
    write(now: now)
  }

  private func write(now: Int) {
    let sent = unsent.withUnsafeBytes {
      send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    guard sent >= 0 else {
      if !Self.isPassing(errno) { phase = .closed }
      return
    }
    unsent = unsent.dropFirst(sent)
    guard unsent.isEmpty else { return }
    shutdown(descriptor, Int32(SHUT_WR))
    phase = .draining
    deadline = min(deadline, now + Self.closingTimeoutMilliseconds)
  }

  /// What can be read without waiting; nil when there is nothing, and at the end.
  private func receive() -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 16_384)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    if count > 0 { return Array(buffer[..<count]) }
    if count == 0 || !Self.isPassing(errno) { phase = .closed }
    return nil
  }

  private static func isPassing(_ code: Int32) -> Bool {
    [EINTR, EAGAIN, EWOULDBLOCK].contains(code)
  }
}
