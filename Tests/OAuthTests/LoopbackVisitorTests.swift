import Foundation
import Glibc
import Secrets
import Testing

@testable import OAuth

@Suite struct `Visitors of the loopback receiver` {
  private let state = State()

  @Test(arguments: ["localhost", "[::1]", "127.0.0.1"])
  func `A browser that spells the loopback interface otherwise is the browser`(
    _ host: String
  ) throws {
    let receiver = try LoopbackReceiver()
    let port = receiver.port
    let target = "/callback?code=x&state=\(state.value)"
    let browser = Handover {
      RawClient.exchange(port, request(port, target, host: "\(host):\(port)")) ?? ""
    }
    let response = try receiver.waitForResponse(.init(state: state), seconds: 60)
    #expect(response.code == Secret("x"))
    #expect(try browser.get().hasPrefix("HTTP/1.1 200 "))
  }

  @Test(arguments: [
    "/callback/?", "http://127.0.0.1:PORT/callback?", "HTTP://localhost:PORT/callback?",
  ])
  func `A slash after the path, and a whole address as through a proxy, are understood`(
    _ address: String
  ) throws {
    let receiver = try LoopbackReceiver()
    let port = receiver.port
    let target = address.replacing("PORT", with: "\(port)") + "code=x&state=\(state.value)"
    let browser = Handover { RawClient.exchange(port, request(port, target)) ?? "" }
    let response = try receiver.waitForResponse(.init(state: state), seconds: 60)
    #expect(response.code == Secret("x"))
    #expect(try browser.get().hasPrefix("HTTP/1.1 200 "))
  }

  @Test(arguments: ["http://evil.test:PORT/callback?", "http://127.0.0.1/callback?", "http://?"])
  func `The host of a whole address counts, and not that of the field`(_ address: String) throws {
    let receiver = try LoopbackReceiver()
    let port = receiver.port
    let target = address.replacing("PORT", with: "\(port)") + "code=x&state=\(state.value)"
    let browser = Handover {
      let first = RawClient.exchange(port, request(port, target)) ?? ""
      _ = RawClient.exchange(port, request(port, "/callback?code=y&state=\(state.value)"))
      return first
    }
    let response = try receiver.waitForResponse(.init(state: state), seconds: 60)
    #expect(response.code == Secret("y"))
    #expect(try browser.get().hasPrefix("HTTP/1.1 400 "))
  }

  @Test func `A POST with the response in its address is a response`() throws {
    let receiver = try LoopbackReceiver()
    let port = receiver.port
    let target = "/callback?code=x&state=\(state.value)"
    let browser = Handover {
      let fields = "Content-Length: 8\r\nContent-Type: application/x-www-form-urlencoded\r\n"
      let head = request(port, target, method: "POST", fields: fields)
      return RawClient.exchange(port, head + "code=bad") ?? ""
    }
    let response = try receiver.waitForResponse(.init(state: state), seconds: 60)
    #expect(response.code == Secret("x"))
    #expect(try browser.get().hasPrefix("HTTP/1.1 200 "))
  }

  @Test func `The cookies of other programs on this machine do no harm`() throws {
    let receiver = try LoopbackReceiver()
    let port = receiver.port
    let target = "/callback?code=x&state=\(state.value)"
    let browser = Handover {
      let cookies = String(repeating: "app=\(String(repeating: "x", count: 990)); ", count: 64)
      return RawClient.exchange(port, request(port, target, fields: "Cookie: \(cookies)\r\n")) ?? ""
    }
    let response = try receiver.waitForResponse(.init(state: state), seconds: 60)
    #expect(response.code == Secret("x"))
    #expect(try browser.get().hasPrefix("HTTP/1.1 200 "))
  }

  @Test func `A second tab with the response that was used is shown no error`() throws {
    let receiver = try LoopbackReceiver()
    // What is judged is not how fast.
    receiver.closingTimeoutMilliseconds = 60_000
    let port = receiver.port
    let target = "/callback?code=x&state=\(state.value)"
    // Both are sent before either is served.
    let tabs = [RawClient.connect(port), RawClient.connect(port)].compactMap(\.self)
    defer { for tab in tabs { close(tab) } }
    for tab in tabs { RawClient.send(tab, request(port, target)) }
    let browser = Handover { tabs.map(RawClient.read) }
    let response = try receiver.waitForResponse(.init(state: state), seconds: 60)
    #expect(response.code == Secret("x"))
    let pages = try browser.get()
    #expect(pages.count == 2)
    #expect(pages.allSatisfy { $0.hasPrefix("HTTP/1.1 200 ") && $0.contains("You can close") })
  }

  @Test func `Nobody but programs of this user is talked to`() throws {
    for isKnown in [true, false] {
      let receiver = try LoopbackReceiver()
      let port = receiver.port
      // As if every connection were another user's, or nobody's.
      receiver.admits = { user in (user != nil) != isKnown }
      let target = "/callback?code=mallory&state=\(state.value)"
      let browser = Handover { RawClient.exchange(port, request(port, target)) }
      if isKnown {
        #expect(throws: OAuthError.timedOut) {
          try receiver.waitForResponse(.init(state: state), seconds: 1)
        }
        #expect(try browser.get()?.isEmpty == true)
      } else {
        // The system tells whose connection it is.
        #expect(
          try receiver.waitForResponse(.init(state: state), seconds: 60).code == Secret("mallory"))
        _ = try browser.get()
      }
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can be another user"))
  func `A response that another user brings is not taken`() throws {
    let receiver = try LoopbackReceiver()
    // Root may be anyone; so play a user who is not root.
    receiver.admits = { $0 == 1000 }
    let port = receiver.port
    let line =
      "exec 3<>/dev/tcp/127.0.0.1/\(port); printf '%b' "
      + "'GET /callback?code=mallory&state=\(state.value) HTTP/1.1\\r\\n"
      + "Host: 127.0.0.1:\(port)\\r\\n\\r\\n' >&3; cat <&3"
    func exchange(as user: String) throws -> Handover<String> {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/setpriv")
      process.arguments = [
        "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "bash", "-c", line,
      ]
      let output = Pipe()
      process.standardOutput = output
      process.standardError = FileHandle.nullDevice
      try process.run()
      let reading = output.fileHandleForReading
      return Handover { String(decoding: reading.readDataToEndOfFile(), as: UTF8.self) }
    }
    let mallory = try exchange(as: "65534")
    #expect(throws: OAuthError.timedOut) {
      try receiver.waitForResponse(.init(state: state), seconds: 6)
    }
    #expect(try mallory.get().isEmpty)
    let owner = try exchange(as: "1000")
    #expect(
      try receiver.waitForResponse(.init(state: state), seconds: 60).code == Secret("mallory"))
    #expect(try owner.get().hasPrefix("HTTP/1.1 200 "))
  }

  @Test func `The start page leads to the authorization endpoint once`() throws {
    let receiver = try LoopbackReceiver()
    let port = receiver.port
    let target = "https://dev.coder.com/oauth2/authorize?state=\(state.value)&code_challenge=y"
    let start = receiver.startPage(for: target)
    let prefix = "http://127.0.0.1:\(port)"
    #expect(start.hasPrefix("\(prefix)/start/"))
    #expect(!start.contains(state.value))
    #expect(receiver.startPage(for: target) != start)
    let path = receiver.startPage(for: target).dropFirst(prefix.count)
    let callback = "/callback?code=x&state=\(state.value)"
    let browser = Handover {
      [
        request(port, "\(path)x"), request(port, "/start/"),
        request(port, String(path), method: "HEAD"),
        request(port, String(path), fields: "Sec-Purpose: prefetch\r\n"),
        request(port, String(path)), request(port, String(path)), request(port, callback),
      ].map { RawClient.exchange(port, $0) ?? "" }
    }
    _ = try receiver.waitForResponse(.init(state: state), seconds: 60)
    let pages = try browser.get()
    #expect(
      pages.map { String($0.dropFirst(9).prefix(3)) }
        == ["404", "404", "405", "503", "302", "410", "200"])
    let redirect = try #require(pages.first { $0.hasPrefix("HTTP/1.1 302 ") })
    #expect(redirect.contains("\r\nLocation: \(target)\r\n"))
    #expect(redirect.contains("\r\nReferrer-Policy: no-referrer\r\n"))
    #expect(redirect.contains("\r\nCache-Control: no-store\r\n"))
  }

  @Test func `The pages name the deployment and the account`() throws {
    let receiver = try LoopbackReceiver()
    let port = receiver.port
    let query = "/callback?code=x&state=\(state.value)"
    let browser = Handover {
      [
        RawClient.exchange(port, request(port, "/")) ?? "",
        RawClient.exchange(port, request(port, query)) ?? "",
      ]
    }
    _ = try receiver.waitForResponse(
      .init(state: state, displayName: "dev.coder.com<b>", account: "alice\u{202E}"), seconds: 60)
    let pages = try browser.get()
    #expect(pages[0].contains("<h1>Not part of the sign-in</h1>"))
    #expect(pages[0].contains("The sign-in to dev.coder.com&lt;b&gt; goes on"))
    #expect(pages[1].contains("The response from dev.coder.com&lt;b&gt; has arrived."))
    #expect(pages[1].contains("You asked to sign in as alice."))
  }
}
