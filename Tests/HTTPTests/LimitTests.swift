import Foundation
import HTTP
import TestDesk
import Testing

/// Time and size have ends.
@Suite(.timeLimit(.minutes(5))) struct LimitTests {
  /// Expects a time-out close to the deadline, in milliseconds.
  private func expectTimeOut(
    _ url: String, connect: Int = 30_000, total: Int = 60_000, after deadline: Int,
    as kind: HTTPError.Kind = .timedOut
  ) {
    let started = ContinuousClock.now
    let error = failure(ofGetting: url, settings(connect: connect, total: total))
    let elapsed = ContinuousClock.now - started
    #expect(error?.kind == kind, "\(error?.reason ?? "")")
    #expect(elapsed >= .milliseconds(deadline - 5))
    #expect(elapsed < .milliseconds(deadline + 10_000))
  }

  @Test func `A server that never responds is left at the total deadline`() throws {
    try RawServer.run({ connection in
      connection.readRequest()
      connection.waitForHangUp()
    }) { server in
      expectTimeOut(server.url("/?\(canary)"), total: 300, after: 300)
    }
  }

  @Test func `A server that never speaks TLS is unreachable, and left at the connect deadline`()
    throws
  {
    try RawServer.run({ $0.waitForHangUp() }) { server in
      expectTimeOut(
        "https://127.0.0.1:\(server.port)/?\(canary)", connect: 300, after: 300, as: .unreachable)
    }
  }

  @Test func `A dripping body does not stretch the total deadline`() throws {
    try RawServer.run({ connection in
      connection.answer("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
      while connection.send("x") { usleep(20_000) }
    }) { server in
      expectTimeOut(server.url(), total: 400, after: 400)
    }
  }

  @Test func `Dripping header lines do not stretch the total deadline`() throws {
    try RawServer.run({ connection in
      connection.answer("HTTP/1.1 200 OK\r\n")
      while connection.send("X-Drip: 1\r\n") { usleep(20_000) }
    }) { server in
      expectTimeOut(server.url(), total: 400, after: 400)
    }
  }

  @Test(arguments: [0, -1, Int.min])
  func `No deadline is not a deadline`(total: Int) throws {
    try RawServer.run({ $0.waitForHangUp() }) { server in
      let error = failure(ofGetting: server.url(), settings(total: total))
      #expect([.timedOut, .unreachable].contains(error?.kind), "\(error?.reason ?? "")")
    }
  }

  @Test(arguments: [
    ("many lines", "HTTP/1.1 200 OK\r\n", "X-Filler: 0123456789012345678901234567890123456789\r\n"),
    (
      "one endless line", "HTTP/1.1 200 OK\r\nX: ",
      "0123456789012345678901234567890123456789012345678"
    ),
    ("interim responses", "", "HTTP/1.1 100 Continue\r\n\r\n"),
  ])
  func `A header without end is too large`(what: String, start: String, piece: String) throws {
    try RawServer.run({ connection in
      connection.answer(start)
      let pieces = String(repeating: piece, count: 100)
      while connection.send(pieces) {}
    }) { server in
      let error = failure(ofGetting: server.url())
      #expect(error?.kind == .tooLarge, "\(what): \(error?.reason ?? "")")
    }
  }

  @Test func `A body over the limit is refused by its announced length`() throws {
    try RawServer.run({ connection in
      connection.answer("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n")
      connection.waitForHangUp()
    }) { server in
      #expect(failure(ofGetting: server.url())?.kind == .tooLarge)
    }
  }

  @Test(arguments: ["Transfer-Encoding: chunked\r\n", "Connection: close\r\n"])
  func `A body without end is refused at the limit`(field: String) throws {
    try RawServer.run({ connection in
      connection.answer("HTTP/1.1 200 OK\r\n\(field)\r\n")
      let chunk = "1000\r\n" + String(repeating: canary + "----", count: 256) + "\r\n"
      while connection.send(chunk) {}
    }) { server in
      #expect(failure(ofGetting: server.url())?.kind == .tooLarge)
    }
  }

  @Test func `A body at the limit is taken, one byte more is not`() throws {
    for (size, isTaken) in [(1_000, true), (1_001, false)] {
      let body = String(repeating: "x", count: size)
      try RawServer.answering("HTTP/1.1 200 OK\r\n\r\n\(body)") { server in
        var small = settings()
        small.maximumBodyBytes = 1_000
        let client = CurlClient(settings: small)
        let count = try? client.send(HTTPRequest(url: server.url())).body.count
        #expect(count == (isTaken ? size : nil))
      }
    }
  }

  @Test func `Compressed bodies are decoded, and bombs counted as they unfold`() throws {
    for (size, isTaken) in [(500_000, true), (20_000_000, false)] {
      let packed = try ChildProcess.run("sh", ["-c", "head -c \(size) /dev/zero | gzip -1"]).output
      #expect(packed.count < 1_000_000)
      try RawServer.run({ connection in
        connection.answer(
          "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(packed.count)\r\n\r\n")
        connection.send(packed)
      }) { server in
        if isTaken {
          let response = try CurlClient(settings: settings()).send(HTTPRequest(url: server.url()))
          #expect(response.body.count == size)
        } else {
          #expect(failure(ofGetting: server.url())?.kind == .tooLarge)
        }
      }
    }
  }

  @Test(arguments: [
    ("Content-Length: 99\r\n", false), ("Transfer-Encoding: chunked\r\n", false),
    ("Content-Length: 99\r\n", true), ("", true),
  ])
  func `A body that lacks its end is handed over to who takes it, and to nobody else`(
    _ field: String, _ staysOpen: Bool
  ) throws {
    try RawServer.run({ connection in
      let isChunked = field.contains("chunked")
      connection.answer(
        "HTTP/1.1 200 OK\r\n\(field)\r\n" + (isChunked ? "5\r\nwhole\r\n" : "whole"))
      if staysOpen { connection.waitForHangUp() }
    }) { server in
      var request = HTTPRequest(url: server.url())
      // Long enough for what is sent to be there, whatever else the machine does.
      let limits = settings(total: staysOpen ? 3_000 : 10_000)
      #expect(failure(of: request, limits)?.kind == (staysOpen ? .timedOut : .broken))
      request.takesCutOffBody = true
      let response = try CurlClient(settings: limits).send(request)
      #expect(response.body == Array("whole".utf8))
      #expect(response.cutOff?.kind == (staysOpen ? .timedOut : .broken))
    }
  }

  @Test(arguments: [
    "HTTP/1.1 500 Oops\r\nContent-Length: 99\r\n\r\nwhole",
    "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le",
  ])
  func `A failure that is cut off, or nothing of a body, is handed over to nobody`(
    _ text: String
  ) throws {
    try RawServer.run({ $0.answer(text) }) { server in
      var request = HTTPRequest(url: server.url())
      request.takesCutOffBody = true
      #expect(failure(of: request)?.kind == .broken)
    }
  }
}
