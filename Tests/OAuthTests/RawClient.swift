import Foundation
import Glibc
import Testing

/// A browser of the simplest kind, with a deadline for everything.
enum RawClient {
  /// Connects, sends, reads to the end; nil when nothing could be reached.
  static func exchange(_ port: UInt16, _ text: String, halfClose: Bool = false) -> String? {
    guard let descriptor = connect(port) else { return nil }
    defer { close(descriptor) }
    send(descriptor, text)
    if halfClose { shutdown(descriptor, Int32(SHUT_WR)) }
    return read(descriptor)
  }

  static func connect(_ port: UInt16) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    var wait = timeval(tv_sec: 60, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &wait, socklen_t(MemoryLayout<timeval>.size))
    }
    var address = Self.address(INADDR_LOOPBACK, port)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else {
      close(descriptor)
      return nil
    }
    return descriptor
  }

  static func address(_ host: UInt32, _ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = host.bigEndian
    return address
  }

  static func send(_ descriptor: Int32, _ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let sent = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard sent > 0 else { return }
      bytes = bytes.dropFirst(sent)
    }
  }

  static func read(_ descriptor: Int32) -> String {
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 {
      result += buffer[..<count]
    }
    return String(decoding: result, as: UTF8.self)
  }
}

/// What a thread found out, handed over once.
final class Handover<Value: Sendable>: @unchecked Sendable {
  private let done = DispatchSemaphore(value: 0)
  private var value: Value?

  init(_ work: @escaping @Sendable () -> Value) {
    Thread.detachNewThread {
      self.value = work()
      self.done.signal()
    }
  }

  func get() throws -> Value {
    try #require(done.wait(timeout: .now() + 120) == .success, "the thread did not finish")
    return try #require(value)
  }
}

/// A well-formed request of a browser.
func request(
  _ port: UInt16, _ target: String, method: String = "GET", host: String? = nil,
  fields: String = ""
) -> String {
  "\(method) \(target) HTTP/1.1\r\nHost: \(host ?? "127.0.0.1:\(port)")\r\n\(fields)\r\n"
}
