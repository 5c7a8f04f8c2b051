import Foundation
import HTTP
import Testing

@Suite struct StreamTests {
  private static let response = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"

  /// An upload that gives these pieces, one at each request.
  private func upload(_ pieces: [String?], size: Int?) -> HTTPUpload {
    var rest = pieces[...]
    return HTTPUpload(size: size) { buffer in
      guard let piece = rest.popFirst() else { return 0 }
      guard let piece else { return nil }
      buffer.copyBytes(from: piece.utf8)
      return piece.utf8.count
    }
  }

  @Test func `A body of known size is sent with its length, by the request's method`() throws {
    try RawServer.answering(Self.response) { server in
      var received: [UInt8] = []
      let response = try CurlClient(settings: settings()).stream(
        HTTPRequest(method: "PATCH", url: server.url("/x")), upload(["ab", "cd"], size: 4)
      ) { status, bytes in
        #expect(status == 200)
        received += bytes
        return true
      }
      #expect(response.status == 200 && response.body.isEmpty)
      #expect(received == Array("body".utf8))
      let request = try #require(server.requests.first)
      #expect(request.hasPrefix("PATCH /x HTTP/1.1\r\n"))
      #expect(request.contains("\r\nContent-Length: 4\r\n") && request.hasSuffix("\r\n\r\nabcd"))
      #expect(!request.lowercased().contains("expect:"))
    }
  }

  @Test func `A body of unknown size is sent in chunks`() throws {
    try RawServer.answering(Self.response) { server in
      let client = CurlClient(settings: settings())
      // The server responds as soon as it has the head; whether the body arrives does not matter.
      _ = try? client.stream(
        HTTPRequest(method: "POST", url: server.url()), upload(["ab", "cd"], size: nil)
      ) { _, _ in true }
      #expect(server.requests.first?.contains("\r\nTransfer-Encoding: chunked\r\n") ?? false)
    }
  }

  @Test func `A source that fails and a reader that stops end the exchange`() throws {
    try RawServer.answering(Self.response) { server in
      let client = CurlClient(settings: settings())
      #expect(throws: HTTPError.self) {
        try client.stream(
          HTTPRequest(method: "POST", url: server.url()), upload(["ab", nil], size: 4)
        ) { _, _ in true }
      }
    }
    try RawServer.answering(Self.response) { server in
      let client = CurlClient(settings: settings())
      #expect(throws: HTTPError.broken(reason: "the response's reader stopped")) {
        try client.stream(HTTPRequest(url: server.url())) { _, _ in false }
      }
    }
  }

  @Test func `A transfer that stands still is given up`() throws {
    try RawServer.run { connection in
      connection.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody")
      connection.waitForHangUp()
    } while: { server in
      var idle = settings(total: 60_000)
      idle.idleTimeoutMilliseconds = 1_000
      let start = ContinuousClock.now
      #expect(throws: HTTPError.self) {
        try CurlClient(settings: idle).stream(HTTPRequest(url: server.url())) { _, _ in true }
      }
      #expect(start.duration(to: .now) < .seconds(10))
    }
  }
}
