import Foundation
import Glibc
import HTTP
import Testing

/// What leaves the client, and what never does.
@Suite(.timeLimit(.minutes(5))) struct RequestTests {
  @Test(arguments: [
    "", "https://", "https:///path", "https:example.com", "example.com", "ftp://example.com/",
    "file:///etc/passwd", "javascript:alert(1)", "--version", "https:/example.com",
    "https://example.com:99999/", "https://exa mple.com/", "https://example.com/\r\nX: y",
    "https://example.com/\u{0}", "https://example.com\\@evil.example/", "https://ex\u{e4}mple.com/",
    "https://\(canary)@example.com/", "https://user:\(canary)@example.com/",
    "https://@example.com/",
  ])
  func `A URL that is not a plain https URL is refused`(url: String) {
    #expect(failure(ofGetting: url)?.kind == .refusedURL)
  }

  @Test(arguments: [
    "http://example.com/?\(canary)", "http://127.0.0.1.example.com/", "http://localhost.example/",
    "http://[::2]/", "http://10.0.0.1/", "http://128.0.0.1/", "http://localhost./",
    "http://0.0.0.0/",
  ])
  func `Without encryption only loopback is reached`(url: String) {
    let error = failure(ofGetting: url)
    #expect(error?.kind == .refusedURL)
    #expect(error?.reason.contains("without encryption") == true)
  }

  @Test(arguments: ["127.0.0.1", "127.8.9.10", "localhost", "LOCALHOST", "[::1]", "127.1"])
  func `Loopback may be reached without encryption`(host: String) throws {
    let socket = try BoundSocket(listening: false)
    defer { close(socket.descriptor) }
    // Nothing listens: unreachable means that the URL was accepted.
    #expect(failure(ofGetting: "http://\(host):\(socket.port)/")?.kind == .unreachable)
  }

  @Test func `Plain http to elsewhere can be allowed`() {
    var allowed = settings(["http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://x.invalid"])
    allowed.allowsPlainHTTP = true
    // The proxy is named: the URL was accepted, and lower case alone was obeyed (httpoxy).
    #expect(
      failure(ofGetting: "http://example.com/", allowed)?.reason.contains("127.0.0.1:1") == true)
  }

  @Test(arguments: [
    HTTPField("X-A", "b\r\nInjected: \(canary)"), HTTPField("X-A", "b\nc"),
    HTTPField("X-A", "b\0c"),
    HTTPField("X A", "b"), HTTPField("", "b"), HTTPField("X:A", "b"), HTTPField("X\r\nB", "b"),
    HTTPField("Host", "evil.example"), HTTPField("content-length", "1"),
    HTTPField("Transfer-Encoding", "chunked"),
  ])
  func `A field that would break the message's frame is refused`(field: HTTPField) throws {
    try RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") { server in
      let error = failure(of: HTTPRequest(url: server.url(), headers: [field]))
      #expect(error?.kind == .refusedURL)
      #expect(server.connectionCount == 0)
    }
  }

  @Test(arguments: ["", "get", "GET /evil HTTP/1.1\r\nX:", "PO ST", "CONNECT", "TRACE"])
  func `A method that is not a plain word is refused`(method: String) {
    let request = HTTPRequest(method: method, url: "https://127.0.0.1:1/")
    #expect(failure(of: request)?.kind == .refusedURL)
  }

  @Test func `A GET carries our fields and none libcurl would add`() throws {
    try RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") { server in
      let fields = [HTTPField("Authorization", "Bearer abc"), HTTPField("X-Empty", "")]
      let request = HTTPRequest(url: server.url("/a/b?c=d"), headers: fields)
      _ = try CurlClient(settings: settings()).send(request)
      let lines = try #require(server.requests.first).components(separatedBy: "\r\n")
      #expect(lines.first == "GET /a/b?c=d HTTP/1.1")
      #expect(lines.contains("User-Agent: coder-cred/test"))
      #expect(lines.contains("Authorization: Bearer abc"))
      #expect(lines.contains("X-Empty:"))
      let names = Set(lines.dropFirst().prefix { !$0.isEmpty }.map { $0.prefix { $0 != ":" } })
      #expect(
        names == [
          "Host", "User-Agent", "Accept", "Accept-Encoding", "Authorization", "X-Empty",
        ])
    }
  }

  @Test(arguments: [0, 1, 1_000, 1_200_000])
  func `A POST body arrives intact and at once`(size: Int) throws {
    let text = String(repeating: "abcdefghijklmnopqrstuvw", count: size / 23 + 1).prefix(size)
    let body = Array(text.utf8)
    try RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") { server in
      let type = HTTPField("Content-Type", "application/x-www-form-urlencoded")
      let request = HTTPRequest(method: "POST", url: server.url(), headers: [type], body: body)
      _ = try CurlClient(settings: settings()).send(request)
      let parts = try #require(server.requests.first).components(separatedBy: "\r\n\r\n")
      let lines = parts[0].components(separatedBy: "\r\n")
      #expect(lines.contains("Content-Length: \(size)"))
      #expect(lines.contains("Content-Type: application/x-www-form-urlencoded"))
      #expect(!parts[0].lowercased().contains("\r\nexpect:"))
      let isSame = Array(parts[1].utf8) == body
      #expect(isSame)
    }
  }

  @Test(arguments: ["POST", "PUT", "PATCH"])
  func `A method that wants a body says that it has none`(method: String) throws {
    try RawServer.answering("HTTP/1.1 204 No Content\r\n\r\n") { server in
      let response = try CurlClient(settings: settings()).send(
        HTTPRequest(method: method, url: server.url()))
      #expect(response.status == 204)
      let head = try #require(server.requests.first)
      #expect(head.hasPrefix("\(method) / HTTP/1.1\r\n"))
      #expect(head.contains("\r\nContent-Length: 0\r\n"))
      #expect(!head.contains("Content-Type"))
    }
  }

  @Test func `A DELETE without a body and a HEAD are sent as they are`() throws {
    try RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n") { server in
      let client = CurlClient(settings: settings())
      let response = try client.send(HTTPRequest(method: "HEAD", url: server.url()))
      #expect(response.body.isEmpty)
    }
    try RawServer.answering("HTTP/1.1 204 No Content\r\n\r\n") { server in
      let client = CurlClient(settings: settings())
      let response = try client.send(HTTPRequest(method: "DELETE", url: server.url()))
      #expect(response.status == 204)
      #expect(server.requests.first?.contains("Content-Length") == false)
    }
  }

  @Test func `Nothing of one request is left for the next`() throws {
    try RawServer.run({ connection in
      while connection.readRequest() != nil {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
      }
    }) { server in
      let client = CurlClient(settings: settings())
      let secret = HTTPField("Authorization", "Bearer \(canary)")
      _ = try client.send(
        HTTPRequest(
          method: "POST", url: server.url(), headers: [secret], body: Array(canary.utf8)))
      #expect(try client.send(HTTPRequest(url: server.url())).body == Array("ok".utf8))
      #expect(server.requests.count == 2)
      #expect(server.requests[1].contains(canary) == false)
      #expect(server.requests[1].hasPrefix("GET /"))
      #expect(server.connectionCount == 1)
    }
  }

  @Test func `A POST is sent once, even when a kept connection would break`() throws {
    try RawServer.run({ connection in
      while let request = connection.readRequest() {
        guard request.hasPrefix("GET") else { return }
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
      }
    }) { server in
      let client = CurlClient(settings: settings())
      _ = try client.send(HTTPRequest(url: server.url()))
      #expect(throws: HTTPError.self) {
        try client.send(HTTPRequest(method: "POST", url: server.url(), body: [1]))
      }
      #expect(server.requests.count { $0.hasPrefix("POST") } == 1)
    }
  }

  @Test func `No socket is left open to programs we start`() throws {
    try RawServer.run({ connection in
      connection.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
      connection.waitForHangUp()
    }) { server in
      let client = CurlClient(settings: settings())
      _ = try client.send(HTTPRequest(url: server.url()))
      let kept = (0..<1_024).filter { peerPort(of: $0) == server.port }
      #expect(!kept.isEmpty)
      #expect(kept.allSatisfy { fcntl($0, F_GETFD) & FD_CLOEXEC != 0 })
      withExtendedLifetime(client) {}
    }
  }

  @Test func `The process's own environment is not consulted`() async {
    await #expect(processExitsWith: .success) {
      for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        setenv(name, "http://127.0.0.1:1", 1)
      }
      try RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") { server in
        let client = CurlClient(settings: settings())
        guard try client.send(HTTPRequest(url: server.url())).status == 200 else { exit(1) }
      }
      exit(0)
    }
  }

  @Test func `Requests, settings and responses print no secret`() {
    let request = HTTPRequest(
      url: "https://example.com/a?\(canary)", headers: [HTTPField("A", canary)],
      body: Array(canary.utf8))
    let proxied = settings(["HTTPS_PROXY": "http://u:\(canary)@proxy"])
    let response = HTTPResponse(status: 200, headers: [HTTPField("A", canary)])
    for value in [request, proxied, response] as [Any] {
      var dumped = ""
      dump(value, to: &dumped)
      #expect(!"\(value) \(String(reflecting: value)) \(dumped)".contains(canary))
    }
  }

  private func peerPort(of descriptor: Int32) -> UInt16? {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let found = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        getpeername(descriptor, $0, &length) == 0
      }
    }
    return found ? UInt16(bigEndian: address.sin_port) : nil
  }
}
