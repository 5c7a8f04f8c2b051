import Foundation
import Glibc
import HTTP
import TestDesk
import Testing

/// Without encryption, only programs of our own user and of root are spoken to.
@Suite(.timeLimit(.minutes(5))) struct LoopbackServerTests {
  static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

  /// A server that writes its port and whatever it receives to its output.
  private static let script = """
    import socket, sys
    family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((sys.argv[1], int(sys.argv[2])))
    server.listen()
    print(server.getsockname()[1], flush=True)
    while True:
      connection, _ = server.accept()
      received = connection.recv(4096)
      print('received', received, flush=True)
      if received: connection.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n')
      connection.close()
    """

  /// Runs that server, as another user by default, while the body runs; gives its port and what it wrote.
  private func withServer(
    at address: String, port: UInt16 = 0, user: UInt32 = 65_534,
    _ body: (UInt16, () -> String) throws -> Void
  ) throws {
    let folder = try Certificates.makeFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let child = try ChildProcess.start(
      "setpriv",
      OtherUser.options(user: user) + ["python3", "-c", Self.script, address, String(port)],
      log: folder.appendingPathComponent("output").path)
    defer { child.end() }
    try #require(
      eventually { child.logText.contains("\n") }, "\(child.logText)")
    try body(try #require(UInt16(child.logText.prefix { $0 != "\n" }))) { child.logText }
  }

  private var request: HTTPRequest {
    HTTPRequest(
      method: "POST", url: "", headers: [HTTPField("Authorization", "Bearer \(canary)")],
      body: Array(canary.utf8))
  }

  @Test func `A server of our own is spoken to, on every loopback address`() throws {
    try RawServer.answering(Self.ok) { server in
      let client = CurlClient(settings: settings())
      for host in ["127.0.0.1", "localhost", "127.1"] {
        let url = "http://\(host):\(server.port)/"
        let status = try client.send(HTTPRequest(url: url)).status
        #expect(status == 200)
      }
    }
  }

  @Test(
    .enabled(if: OtherUser.isAvailable, OtherUser.reason),
    arguments: [
      ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.8.9.10"), ("127.0.0.1", "localhost"),
      ("::1", "[::1]"), ("::", "[::1]"), ("::", "127.0.0.1"),
    ])
  func `A server of another user gets nothing`(address: String, host: String) throws {
    try withServer(at: address) { port, output in
      var request = request
      request.url = "http://\(host):\(port)/\(canary)"
      let error = failure(of: request)
      #expect(error?.kind == .foreignServer, "\(error?.reason ?? "")")
      #expect(error?.reason.contains("another user of this machine (uid 65534)") == true)
      // The connection was made and closed.
      #expect(eventually { output().contains("received b''") }, "\(output())")
      #expect(!output().contains(canary))
    }
  }

  @Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))
  func `Who allows plain http for a deployment allows whoever serves it`() throws {
    try withServer(at: "127.0.0.1") { port, output in
      var allowed = settings()
      allowed.allowsPlainHTTP = true
      let client = CurlClient(settings: allowed)
      let status = try client.send(HTTPRequest(url: "http://127.0.0.1:\(port)/")).status
      #expect(status == 200)
      #expect(output().contains("GET / HTTP/1.1"))
    }
  }

  @Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))
  func `A port that another user takes over gets nothing`() throws {
    let client = CurlClient(settings: settings())
    var taken: UInt16 = 0
    try withServer(at: "127.0.0.1", user: geteuid()) { port, _ in
      taken = port
      let status = try client.send(HTTPRequest(url: "http://127.0.0.1:\(port)/")).status
      #expect(status == 200)
    }
    try withServer(at: "127.0.0.1", port: taken) { port, output in
      for method in ["GET", "POST"] {
        var request = request
        request.method = method
        request.url = "http://127.0.0.1:\(port)/"
        let error = #expect(throws: HTTPError.self) { try client.send(request) }
        #expect(error?.kind == .foreignServer)
      }
      #expect(eventually { output().contains("received") })
      #expect(!output().contains(canary))
    }
  }
}
