import Basics
import Foundation
import Glibc
import Secrets
import Testing

@testable import OAuth

/// Lets something happen, then sends the right answer, and returns what happened.
func whatHappens<Value: Sendable>(
  awaiting state: State, timeoutMilliseconds: Int = 5000,
  _ before: @escaping @Sendable (UInt16) -> Value
) throws -> Value {
  let receiver = try LoopbackReceiver()
  receiver.connectionTimeoutMilliseconds = timeoutMilliseconds
  let port = receiver.port
  let expected = state.value
  let browser = Handover {
    let value = before(port)
    let target = "/callback?code=right&state=\(expected)"
    // On a busy machine even the right one may be too slow for a short timeout: it tries again.
    var page = RawClient.exchange(port, request(port, target))
    for _ in 0..<30 where page?.isEmpty != false {
      usleep(10_000)
      page = RawClient.exchange(port, request(port, target))
    }
    return (value, page)
  }
  let response = try receiver.waitForResponse(.init(state: state), seconds: 60)
  let (value, page) = try browser.get()
  #expect(response.code == Secret("right"))
  #expect(page?.hasPrefix("HTTP/1.1 200 OK\r\n") == true)
  return value
}

@Suite struct `Requests that are not the answer` {
  private let state = State()

  @Test(arguments: [
    ("GET", "/favicon.ico", "404"), ("GET", "/", "404"), ("GET", "/callback/", "404"),
    ("GET", "/Callback?state=STATE&code=x", "404"), ("GET", "//callback?state=STATE&code=x", "404"),
    ("POST", "/start/x", "405"), ("POST", "/callback?state=wrong&code=x", "400"),
    ("PUT", "/callback?state=STATE&code=x", "405"), ("OPTIONS", "/callback", "405"),
    ("HEAD", "/callback?state=STATE&code=x", "405"), ("OPTIONS", "*", "405"),
    ("get", "/callback?state=STATE&code=x", "405"), ("GET", "/callback", "400"),
    ("GET", "/callback?code=x", "400"), ("GET", "/callback?code=x&state=wrong", "400"),
    ("GET", "/callback?error=access_denied", "400"),
    ("GET", "/callback?code=x&state=STATE&state=STATE", "400"),
    ("GET", "http://127.0.0.1/callback?code=x&state=STATE", "400"),
  ])
  func `A request that is not the answer gets an error and the wait goes on`(
    _ method: String, _ target: String, _ status: String
  ) throws {
    let target = target.replacing("STATE", with: state.value)
    let page = try whatHappens(awaiting: state) { port in
      RawClient.exchange(port, request(port, target, method: method)) ?? ""
    }
    #expect(page.hasPrefix("HTTP/1.1 \(status) "))
    #expect(page.contains("\r\nContent-Security-Policy: default-src 'none'"))
  }

  @Test(arguments: [
    "evil.test", "localhost:1", "127.0.0.1", "127.0.0.1:1", "evil.test:PORT", "[::2]:PORT", "",
    "localhost.evil.test:PORT", "localhost", "127.0.0.2:PORT",
    "127.0.0.1:PORT\r\nHost: 127.0.0.1:PORT", "127.0.0.1:PORT\r\nHost: evil.test",
    "127.0.0.1:PORT@evil.test", "127.0.0.1:PORT, evil.test",
  ])
  func `A right answer under another name is refused`(_ host: String) throws {
    let target = "/callback?code=x&state=\(state.value)"
    let page = try whatHappens(awaiting: state) { port in
      RawClient.exchange(
        port, request(port, target, host: host.replacing("PORT", with: "\(port)"))) ?? ""
    }
    #expect(page.hasPrefix("HTTP/1.1 400 "))
  }

  @Test(arguments: ["Sec-Purpose: prefetch;prerender", "Purpose: prefetch", "X-Moz: prefetch"])
  func `A page fetched in advance is not the browser coming back`(_ field: String) throws {
    let target = "/callback?code=x&state=\(state.value)"
    let page = try whatHappens(awaiting: state) { port in
      RawClient.exchange(port, request(port, target, fields: field + "\r\n")) ?? ""
    }
    #expect(page.hasPrefix("HTTP/1.1 503 "))
  }

  @Test(arguments: [
    "GET /callback?code=x&state=STATE\r\n\r\n", "GET /callback\r\n",
    "GET /callback?code=x&state=STATE HTTP/2.0\r\n\r\n", "\r\n\r\n", " \r\n\r\n", "\n",
    "GET  /callback HTTP/1.1\r\n\r\n", "GET /callback?x y HTTP/1.1\r\n\r\n",
    "GET /callback HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n", "GET /callback HTTP/1.1\r\n: x\r\n\r\n",
    "GET /callback HTTP/1.1\r\nHost: a\r\n b: c\r\n\r\n", "GET /\u{0} HTTP/1.1\r\n\r\n",
    "GET /callback\rHost: x HTTP/1.1\r\n\r\n", "GET /é HTTP/1.1\r\n\r\n",
    "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\n", "GET /callback HTTP/1.1\r\nX: a\rb\r\n\r\n",
    "GET /callback HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
  ])
  func `What is not HTTP is told so`(_ text: String) throws {
    let text = text.replacing("STATE", with: state.value)
    let page = try whatHappens(awaiting: state) { port in RawClient.exchange(port, text) ?? "" }
    #expect(page.hasPrefix("HTTP/1.1 400 "), "\(text.debugDescription)")
  }

  @Test func `A request without an end is cut off`() throws {
    let long = String(repeating: "a", count: 150_000)
    let pages = try whatHappens(awaiting: state) { port in
      [
        RawClient.exchange(port, "GET /" + long) ?? "",
        RawClient.exchange(port, "GET /callback HTTP/1.1\r\nX: \(long)\r\n\r\n") ?? "",
        RawClient.exchange(
          port, "GET /callback HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 30_000)) ?? "",
        RawClient.exchange(port, "GET /\(long) HTTP/1.1\r\n\r\n") ?? "",
        RawClient.exchange(
          port, "GET /callback?\(long.prefix(17_000)) HTTP/1.1\r\nHost: a\r\n\r\n") ?? "",
      ]
    }
    #expect(pages.allSatisfy { $0.hasPrefix("HTTP/1.1 431 ") })
  }

  @Test func `A byte at a time gains no time`() throws {
    let bytes = try whatHappens(awaiting: state, timeoutMilliseconds: 1000) { port in
      guard let descriptor = RawClient.connect(port) else { return -1 }
      defer { close(descriptor) }
      // Far more than can be sent in time at this pace; the end shows as a reset or as nothing.
      for count in 0..<400 {
        guard send(descriptor, "a", 1, Int32(MSG_NOSIGNAL)) == 1 else { return count }
        usleep(50_000)
      }
      return 400
    }
    #expect((1..<400).contains(bytes))
  }

  @Test func `Closing at once, or halfway, harms nobody`() throws {
    try whatHappens(awaiting: state) { port in
      for text in ["", "G", "GET /callback HTTP/1.1\r\n"] {
        guard let descriptor = RawClient.connect(port) else { continue }
        RawClient.send(descriptor, text)
        // With this the kernel resets the connection instead of closing it.
        var now = linger(l_onoff: 1, l_linger: text.isEmpty ? 1 : 0)
        setsockopt(
          descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close(descriptor)
      }
    }
  }

  @Test func `One that only dawdles is dropped after its time`() throws {
    let (answer, milliseconds) = try whatHappens(awaiting: state, timeoutMilliseconds: 1000) {
      port in
      let start = MonotonicClock.milliseconds
      guard let descriptor = RawClient.connect(port) else { return ("none", 0 as Int) }
      defer { close(descriptor) }
      RawClient.send(descriptor, "GET /callback")
      return (RawClient.read(descriptor), MonotonicClock.milliseconds - start)
    }
    #expect(answer.isEmpty)
    #expect((900...60_000).contains(milliseconds))
  }

  @Test func `Many that dawdle at once do not keep the right one out`() throws {
    let kept = try whatHappens(awaiting: state) { port in
      (0..<40).compactMap { _ in RawClient.connect(port) }
    }
    #expect(kept.count == 40)
    for descriptor in kept { close(descriptor) }
  }
}
