import Foundation
import Glibc
import HTTP
import Testing

/// What counts as a response, and what does not.
@Suite(.timeLimit(.minutes(5))) struct ResponseTests {
  private func get(_ url: String) throws(HTTPError) -> HTTPResponse {
    try CurlClient(settings: settings()).send(HTTPRequest(url: url))
  }

  @Test func `Fields come in order, repeated and folded ones too`() throws {
    let response =
      "HTTP/1.1 201 Created\r\nX-A:  one \r\nSet-Cookie: a\r\nset-cookie: b\r\n"
      + "X-Long: first\r\n  second\r\nX-Empty:\r\nContent-Length: 2\r\n\r\nhi"
    try RawServer.answering(response) { server in
      let received = try get(server.url())
      #expect(received.status == 201)
      #expect(
        received.headers == [
          HTTPField("X-A", "one"), HTTPField("Set-Cookie", "a"), HTTPField("set-cookie", "b"),
          HTTPField("X-Long", "first second"), HTTPField("X-Empty", ""),
          HTTPField("Content-Length", "2"),
        ])
      #expect(received.body == Array("hi".utf8))
    }
  }

  @Test func `Interim responses and trailers leave no field behind`() throws {
    let response =
      "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n"
      + "2\r\nhi\r\n0\r\nX-Late: 1\r\n\r\n"
    try RawServer.answering(response) { server in
      let response = try get(server.url())
      #expect(response.status == 200)
      #expect(response.headers.map(\.name) == ["Transfer-Encoding", "Trailer"])
      #expect(response.body == Array("hi".utf8))
    }
  }

  @Test(arguments: [301, 302, 303, 307, 308])
  func `A redirect is a response and not followed`(status: Int) throws {
    try RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") { elsewhere in
      let response =
        "HTTP/1.1 \(status) Go\r\nLocation: \(elsewhere.url())\r\nContent-Length: 0\r\n\r\n"
      try RawServer.answering(response) { server in
        let request = HTTPRequest(
          method: "POST", url: server.url(), headers: [HTTPField("Authorization", canary)],
          body: Array(canary.utf8))
        let response = try CurlClient(settings: settings()).send(request)
        #expect(response.status == status)
        #expect(response.header("location") == elsewhere.url())
        #expect(server.requests.count == 1)
        #expect(elsewhere.connectionCount == 0)
      }
    }
  }

  @Test func `A cookie is not kept`() throws {
    try RawServer.run({ connection in
      while connection.readRequest() != nil {
        connection.send("HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
      }
    }) { server in
      let client = CurlClient(settings: settings())
      for _ in 0..<2 { _ = try client.send(HTTPRequest(url: server.url())) }
      #expect(server.requests.count == 2)
      #expect(server.requests.allSatisfy { !$0.contains("Cookie") })
    }
  }

  @Test(arguments: [
    ("an empty response", ""),
    ("garbage", "\u{1}\u{2}\(canary) garbage\r\n\r\n"),
    ("another protocol", "SSH-2.0-OpenSSH_9.2\r\n"),
    ("HTTP/0.9", "<html>\(canary)</html>"),
    ("half a header", "HTTP/1.1 200 OK\r\nContent-Le"),
    ("a truncated body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n\(canary)"),
    ("a truncated chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n\(canary)"),
    ("a chunk that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(canary)\r\n"),
    (
      "a wrong coding", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"
    ),
    (
      "an unknown coding",
      "HTTP/1.1 200 OK\r\nContent-Encoding: \(canary)\r\nContent-Length: 4\r\n\r\nnope"
    ),
    ("a field without a name", "HTTP/1.1 200 OK\r\n: \(canary)\r\nContent-Length: 0\r\n\r\n"),
    ("a line without a colon", "HTTP/1.1 200 OK\r\n\(canary)\r\nContent-Length: 0\r\n\r\n"),
    ("a name with a blank", "HTTP/1.1 200 OK\r\nX A: \(canary)\r\nContent-Length: 0\r\n\r\n"),
    ("a NUL in a field", "HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 0\r\n\r\n"),
    ("a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
    ("a status of 2", "HTTP/1.1 2 OK\r\nContent-Length: 0\r\n\r\n"),
    ("a status of 999", "HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n"),
  ])
  func `What is not a whole HTTP response is broken`(what: String, response: String) throws {
    try RawServer.answering(response) { server in
      let error = failure(ofGetting: server.url("/?code=\(canary)"))
      #expect(error?.kind == .broken, "\(what): \(error?.reason ?? "")")
    }
  }

  @Test func `A reset of a connection that stood is broken: the request may have arrived`() throws {
    try RawServer.run({ connection in
      connection.readRequest()
      connection.reset()
    }) { server in
      #expect(failure(ofGetting: server.url("/?\(canary)"))?.kind == .broken)
    }
    try RawServer.run({ connection in
      connection.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
      usleep(50_000)
      connection.reset()
    }) { server in
      #expect(failure(ofGetting: server.url("/?\(canary)"))?.kind == .broken)
    }
  }

  @Test func `A reset while we still send does not end the program`() throws {
    try RawServer.run({ connection in
      var first: UInt8 = 0
      _ = recv(connection.descriptor, &first, 1, 0)
      connection.reset()
    }) { server in
      let body = [UInt8](repeating: 0x61, count: 8_000_000)
      let error = failure(of: HTTPRequest(method: "POST", url: server.url(), body: body))
      #expect(error?.kind == .broken)
    }
  }

  @Test func `A refused connection is unreachable and names the server`() throws {
    let socket = try BoundSocket(listening: false)
    defer { close(socket.descriptor) }
    let error = failure(ofGetting: "https://127.0.0.1:\(socket.port)/?\(canary)")
    #expect(error?.kind == .unreachable)
    #expect(error?.reason.contains("127.0.0.1:\(socket.port)") == true)
    #expect(error?.reason.contains("refused") == true)
  }

  @Test func `A name that is not known is unreachable`() {
    #expect(failure(ofGetting: "https://no-such-host.invalid/?\(canary)")?.kind == .unreachable)
  }
}
