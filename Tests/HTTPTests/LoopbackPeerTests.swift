import Foundation
import Glibc
import TestDesk
import Testing

@testable import Secrets

/// Who is at the other end of a TCP connection on this machine.
@Suite(.timeLimit(.minutes(5))) struct LoopbackPeerTests {
  /// A program of another user that listens on a port of its own, or connects to one of ours.
  private func withOtherUser(
    _ script: String, _ body: (ChildProcess) throws -> Void
  ) throws {
    let folder = try Certificates.makeFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let child = try ChildProcess.start(
      "setpriv", OtherUser.options() + ["python3", "-c", script],
      log: folder.appendingPathComponent("output").path)
    defer { child.end() }
    try body(child)
  }

  /// Connects to a port of 127.0.0.1 and gives the socket.
  private func connect(to port: UInt16) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(result == 0)
    return descriptor
  }

  private func userOfServer(on descriptor: Int32) throws -> UInt32? {
    LoopbackPeer.userOfServer(
      at: try #require(TCPEndpoint(remoteOf: descriptor)),
      from: try #require(TCPEndpoint(localOf: descriptor)))
  }

  @Test func `Both ends of a connection of our own are ours, accepted or not`() throws {
    let listener = try BoundSocket(listening: true)
    defer { close(listener.descriptor) }
    let client = try connect(to: listener.port)
    defer { close(client) }
    #expect(try userOfServer(on: client) == geteuid())
    let accepted = accept(listener.descriptor, nil, nil)
    defer { close(accepted) }
    #expect(try userOfServer(on: client) == geteuid())
    #expect(LoopbackPeer.userOfClient(on: accepted) == geteuid())
    #expect(LoopbackPeer.isSelfOrRoot(geteuid()))
    #expect(LoopbackPeer.isSelfOrRoot(0))
    #expect(!LoopbackPeer.isSelfOrRoot(geteuid() + 1))
  }

  @Test func `A client that closed its socket belongs to nobody, not to root`() throws {
    let listener = try BoundSocket(listening: true)
    defer { close(listener.descriptor) }
    let client = try connect(to: listener.port)
    let accepted = accept(listener.descriptor, nil, nil)
    defer { close(accepted) }
    close(client)
    // A child that is just being started has a copy.
    #expect(eventually { LoopbackPeer.userOfClient(on: accepted) == nil })
  }

  @Test func `What is not a TCP connection has no user`() throws {
    let listener = try BoundSocket(listening: true)
    defer { close(listener.descriptor) }
    #expect(LoopbackPeer.userOfClient(on: listener.descriptor) == nil)
    #expect(LoopbackPeer.userOfClient(on: -1) == nil)
    let elsewhere = try #require(TCPEndpoint(address: "192.0.2.1", port: listener.port))
    #expect(LoopbackPeer.userOfServer(at: elsewhere, from: elsewhere) == nil)
    let nobody = try #require(TCPEndpoint(address: "127.0.0.1", port: 1))
    #expect(LoopbackPeer.userOfServer(at: nobody, from: nobody) == nil)
  }

  @Test(
    .enabled(if: OtherUser.isAvailable, OtherUser.reason),
    arguments: ["('127.0.0.1', 0)", "('0.0.0.0', 0)", "('::', 0, 0, 0)"])
  func `A server of another user is told, accepted or not`(address: String) throws {
    let script = """
      import socket, sys
      server = socket.socket(socket.AF_INET6 if '::' in "\(address)" else socket.AF_INET)
      server.bind(\(address))
      server.listen()
      print(server.getsockname()[1], flush=True)
      connection, _ = server.accept()
      connection.recv(1)
      second, _ = server.accept()
      server.close()
      print('accepted', flush=True)
      second.recv(1)
      """
    try withOtherUser(script) { child in
      try #require(
        eventually { child.logText.contains("\n") }, "\(child.logText)")
      let port = try #require(UInt16(child.logText.prefix { $0 != "\n" }))
      let first = try connect(to: port)
      defer { close(first) }
      // The program waits in recv of the first connection and does not accept the second.
      let second = try connect(to: port)
      defer { close(second) }
      #expect(try userOfServer(on: second) == 65_534)
      _ = send(first, "x", 1, Int32(MSG_NOSIGNAL))
      #expect(eventually { child.logText.contains("accepted") })
      #expect(try userOfServer(on: second) == 65_534)
    }
  }

  @Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))
  func `A client of another user is told`() throws {
    let listener = try BoundSocket(listening: true)
    defer { close(listener.descriptor) }
    let script = """
      import socket
      connection = socket.create_connection(('127.0.0.1', \(listener.port)))
      connection.recv(1)
      """
    try withOtherUser(script) { _ in
      var poller = pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0)
      try #require(poll(&poller, 1, 30_000) == 1)
      let accepted = accept(listener.descriptor, nil, nil)
      defer { close(accepted) }
      #expect(LoopbackPeer.userOfClient(on: accepted) == 65_534)
    }
  }

  @Test func `A line of the kernel's list is read, whatever its family`() throws {
    func socket(_ line: String) -> SocketTable.Socket? { SocketTable.socket(Array(line.utf8)) }
    let loopback = UInt32(0x7F00_0001).bigEndian
    let hexadecimal = String(format: "%08X", loopback)
    let rest = "00000000:00000000 00:00000000 00000000"
    let line = "  12: \(hexadecimal):1F90 \(hexadecimal):C001 01 \(rest)  1000        0 77 1 0"
    let plain = try #require(socket(line))
    #expect(plain.local == TCPEndpoint(address: "127.0.0.1", port: 8080))
    #expect(plain.remote == TCPEndpoint(address: "127.0.0.1", port: 0xC001))
    #expect(plain.user == 1000 && !plain.isListening)

    let prefix = "0000000000000000" + String(format: "%08X", UInt32(0xFFFF).bigEndian)
    let mapped = line.replacingOccurrences(of: hexadecimal, with: prefix + hexadecimal)
    #expect(socket(mapped) == plain)
    let listening = line.replacingOccurrences(of: " 01 ", with: " 0A ")
    #expect(socket(listening)?.isListening == true)
  }

  @Test(arguments: [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "", "0:", "0: 0100007F:1F90 0100007F:C001 01 0:0 0:0 0 1000 0 0",
    "0: 0100007F:1F90 0100007F:C001 06 0:0 0:0 0 0 0 0",
    "0: 0100007F:1F901 0100007F:C001 01 0:0 0:0 0 1000 0 77",
    "0: 0100007F 0100007F:C001 01 0:0 0:0 0 1000 0 77",
    "0: 0100007F0:1F90 0100007F:C001 01 0:0 0:0 0 1000 0 77",
    "0: 0100007F:1F90 0100007F:C001 01 0:0 0:0 0 -1 0 77",
    "0: 0100007F:1F90 0100007F:C001 01 0:0 0:0 0 4294967296 0 77",
  ])
  func `A line without an owner, or of another form, says nothing`(line: String) {
    #expect(SocketTable.socket(Array(line.utf8)) == nil)
  }

  @Test func `Loopback is an address, in both families`() {
    for address in ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"] {
      #expect(TCPEndpoint(address: address, port: 1)?.isLoopback == true, "\(address)")
    }
    for address in ["128.0.0.1", "0.0.0.0", "::", "::2", "::127.0.0.1", "fe80::1"] {
      #expect(TCPEndpoint(address: address, port: 1)?.isLoopback == false, "\(address)")
    }
    for text in ["", "localhost", "127.1", "[::1]", "::1%lo"] {
      #expect(TCPEndpoint(address: text, port: 1) == nil, "\(text)")
    }
  }
}
