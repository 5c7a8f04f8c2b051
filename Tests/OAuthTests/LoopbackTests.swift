import Basics
import Foundation
import Glibc
import Secrets
import Testing

@testable import OAuth

@Suite struct `The loopback receiver` {
  private let state = State()

  @Test func `The right answer is accepted, and the page delivered whole`() throws {
    try whatHappens(awaiting: state) { _ in }
  }

  @Test func `The page is private, and needs nothing from anywhere`() throws {
    let receiver = try LoopbackReceiver()
    let port = receiver.port
    let target = "/callback?code=SECRETCODE&state=\(state.value)"
    let browser = Handover { RawClient.exchange(port, request(port, target)) ?? "" }
    _ = try receiver.waitForResponse(.init(state: state), seconds: 60)
    let page = try browser.get()
    let end = try #require(page.range(of: "\r\n\r\n"))
    let head = end.lowerBound
    for field in [
      "Content-Type: text/html; charset=utf-8", "Cache-Control: no-store", "Connection: close",
      "Referrer-Policy: no-referrer", "X-Content-Type-Options: nosniff",
      "Content-Security-Policy: default-src 'none'; style-src 'sha256-",
    ] {
      #expect(page[..<head].contains("\r\n" + field), "\(field)")
    }
    #expect(!page.contains("unsafe-inline"))
    let body = page[end.upperBound...]
    #expect(page[..<head].contains("\r\nContent-Length: \(body.utf8.count)"))
    #expect(body.contains("prefers-color-scheme: dark"))
    for forbidden in [
      "<script", "http:", "https:", "url(", "src=", "href=", "SECRETCODE", state.value,
    ] {
      #expect(!body.contains(forbidden), "\(forbidden)")
    }
  }

  @Test func `The address is the literal one and the path is ours`() throws {
    let receiver = try LoopbackReceiver()
    #expect(receiver.port != 0)
    #expect(receiver.redirectURI == "http://127.0.0.1:\(receiver.port)/callback")
    for listener in receiver.listeners {
      #expect(fcntl(listener.descriptor, F_GETFD) & FD_CLOEXEC != 0)
    }
  }

  @Test func `A request in small pieces, with bare line feeds, is understood`() throws {
    let receiver = try LoopbackReceiver()
    let port = receiver.port
    let text =
      "GET /callback?state=\(state.value)&code=slow HTTP/1.0\nhost:\t127.0.0.1:\(port) \n\n"
    let browser = Handover { () -> String in
      guard let descriptor = RawClient.connect(port) else { return "" }
      defer { close(descriptor) }
      for character in text { RawClient.send(descriptor, String(character)) }
      return RawClient.read(descriptor)
    }
    let response = try receiver.waitForResponse(.init(state: state), seconds: 60)
    #expect(response.code == Secret("slow"))
    #expect(try browser.get().hasPrefix("HTTP/1.1 200 "))
  }

  @Test func `Of two answers the first one counts`() throws {
    let receiver = try LoopbackReceiver()
    let port = receiver.port
    let state = state.value
    let first = Handover {
      RawClient.exchange(port, request(port, "/callback?code=first&state=\(state)")) ?? ""
    }
    let response = try receiver.waitForResponse(.init(state: self.state), seconds: 60)
    #expect(response.code == Secret("first"))
    #expect(try first.get().hasPrefix("HTTP/1.1 200 "))
  }

  @Test func `The wait ends at its deadline, whatever noise there is`() throws {
    var receiver: LoopbackReceiver? = try LoopbackReceiver()
    let port = try #require(receiver?.port)
    let start = MonotonicClock.milliseconds
    let noise = Handover { () -> Int in
      var count = 0
      while MonotonicClock.milliseconds - start < 5000, count < 100_000 {
        guard let descriptor = RawClient.connect(port) else { break }
        RawClient.send(descriptor, "GET /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n")
        close(descriptor)
        count += 1
      }
      return count
    }
    #expect(throws: OAuthError.timedOut) {
      try receiver?.waitForResponse(.init(state: state), seconds: 1)
    }
    #expect((900...60_000).contains(MonotonicClock.milliseconds - start))
    receiver = nil
    #expect(try noise.get() > 1)
  }

  @Test func `A wait of no time ends at once`() throws {
    let receiver = try LoopbackReceiver()
    for seconds in [0, -1, .min] {
      #expect(throws: OAuthError.timedOut) {
        try receiver.waitForResponse(.init(state: state), seconds: seconds)
      }
    }
  }

  @Test func `A signal does not end the wait`() throws {
    signal(SIGUSR2) { _ in }
    // The pool's threads block signals.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGUSR2)
    var before = sigset_t()
    pthread_sigmask(SIG_UNBLOCK, &signals, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let waiting = pthread_self()
    try whatHappens(awaiting: state) { _ in
      for _ in 0..<10 {
        pthread_kill(waiting, SIGUSR2)
        usleep(2000)
      }
    }
  }

  @Test func `An error is shown escaped, and thrown`() throws {
    let receiver = try LoopbackReceiver()
    let port = receiver.port
    let target =
      "/callback?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E%1B%22&"
      + "state=\(state.value)"
    let browser = Handover { RawClient.exchange(port, request(port, target)) ?? "" }
    #expect(throws: OAuthError.denied(reason: "<script>alert(1)</script> \"")) {
      try receiver.waitForResponse(.init(state: state), seconds: 60)
    }
    let page = try browser.get()
    #expect(page.hasPrefix("HTTP/1.1 400 "))
    #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &#39;"))
    #expect(!page.contains("<script"))
    #expect(!page.utf8.contains(0x1B))
  }

  @Test func `Another issuer's answer ends the wait`() throws {
    let receiver = try LoopbackReceiver()
    let port = receiver.port
    let target = "/callback?code=x&iss=https://evil.test&state=\(state.value)"
    let browser = Handover { RawClient.exchange(port, request(port, target)) ?? "" }
    #expect(
      throws: OAuthError.foreignResponse(
        expected: "https://dev.coder.com", found: "https://evil.test")
    ) {
      try receiver.waitForResponse(
        .init(state: state, issuer: "https://dev.coder.com"), seconds: 60)
    }
    #expect(try browser.get().hasPrefix("HTTP/1.1 400 "))
  }

  @Test func `A port in use is told, and not shared`() throws {
    let receiver = try LoopbackReceiver()
    #expect(throws: OAuthError.portBusy(receiver.port)) {
      try LoopbackReceiver(port: receiver.port)
    }
    for option in [SO_REUSEADDR, SO_REUSEPORT] {
      for host in [INADDR_LOOPBACK, INADDR_ANY] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, option, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = RawClient.address(host, receiver.port)
        let shares = withUnsafePointer(to: &address) {
          $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
              && listen(descriptor, 1) == 0
          }
        }
        #expect(!shares)
      }
    }
  }

  @Test func `The same port serves the next sign-in at once`() throws {
    var receiver: LoopbackReceiver? = try LoopbackReceiver()
    let port = try #require(receiver?.port)
    for round in 0..<2 {
      let target = "/callback?code=c\(round)&state=\(state.value)"
      let browser = Handover { RawClient.exchange(port, request(port, target)) ?? "" }
      let response = try receiver?.waitForResponse(.init(state: state), seconds: 60)
      #expect(response?.code == Secret("c\(round)"))
      _ = try browser.get()
      receiver = nil
      // Another test's connection may have been given the port in between; a port that is kept busy
      // by a connection of the last sign-in would stay so for a minute.
      for _ in 0..<50 where receiver == nil {
        receiver = try? LoopbackReceiver(port: port)
        if receiver == nil { usleep(100_000) }
      }
      #expect(receiver != nil)
    }
  }

  @Test func `A port that needs privileges is an error of the system`() {
    guard getuid() != 0 else { return }
    #expect {
      try LoopbackReceiver(port: 1)
    } throws: {
      if case .noLoopback = $0 as? OAuthError { true } else { false }
    }
  }
}
