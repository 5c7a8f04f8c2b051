import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What reaches the loopback port while somebody signs in: any page in the browser can send it.
@Suite(.blocking) struct `The port of a sign-in` {
  /// Connects, sends bytes, and returns what comes back.
  private static func send(
    _ waiting: WaitingLogin, _ bytes: String
  ) throws -> String {
    let port = try port(of: waiting)
    let script = """
      import socket, sys
      s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
      s.settimeout(10)
      try:
          s.sendall(sys.stdin.buffer.read())
          print(s.recv(65536).decode('latin-1'))
      except OSError: pass
      """
    return try ChildProcess.run(
      "/usr/bin/python3", ["-c", script, port], input: Array(bytes.utf8)
    ).stdout
  }

  private static func port(of waiting: WaitingLogin) throws -> String {
    let uri = try waiting.parameter("redirect_uri")
    return try #require(
      uri.split(separator: ":").last?.split(separator: "/").first.map(String.init))
  }

  @Test func `goes on waiting after whatever is not the response`() throws {
    try Desk.with { desk in
      let waiting = try WaitingLogin(desk)
      let state = try waiting.parameter("state")
      let host = "Host: 127.0.0.1:\(try Self.port(of: waiting))\r\n\r\n"
      let right = "/callback?code=x&state=\(state)"
      for request in [
        "GET /favicon.ico HTTP/1.1\r\n\(host)", "GET /?code=x HTTP/1.1\r\n\(host)",
        "GET /callback?code=x HTTP/1.1\r\n\(host)",
        "GET /callback?code=x&state=wrong HTTP/1.1\r\n\(host)",
        "GET /callback?error=access_denied HTTP/1.1\r\n\(host)",
        "PUT \(right) HTTP/1.1\r\n\(host)", "HEAD \(right) HTTP/1.1\r\n\(host)",
        "OPTIONS /callback HTTP/1.1\r\nAccess-Control-Request-Private-Network: true\r\n\(host)",
        "GET \(right) HTTP/1.1\r\nHost: evil.test\r\n\r\n", "GET \(right)\r\n",
        "GET \(right) HTTP/1.1\r\nHost: evil.test:\(try Self.port(of: waiting))\r\n\r\n",
        "GET /\(String(repeating: "a", count: 100_000)) HTTP/1.1\r\n\(host)", "\0\0\0\0\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\0\r\n", "GET \(right) HTTP/1.1\r\n\r\n",
        "GET \(right)&state=\(state) HTTP/1.1\r\n\(host)",
      ] {
        let answer = try Self.send(waiting, request)
        #expect(!answer.contains("HTTP/1.1 200"), "\(request.prefix(60).debugDescription)")
        #expect(!answer.lowercased().contains("access-control-allow"), "\(request.prefix(60))")
      }
      #expect(waiting.process.exit == nil, "\(waiting.output)")
      let callback = try desk.deployment.callback(of: waiting.address())
      #expect(try Exchange.send("GET", callback).status == 200)
      waiting.expectEnd(0)
      try desk.token()
    }
  }

  @Test func `shows a server's words on its page as words, and at the terminal as a quotation`()
    throws
  {
    try Desk.with { desk in
      for words in [
        "%3Cscript%3Ealert(1)%3C/script%3E", "%1B%5B2J%1B%5D0;x%07", "%22%3E%3Cimg%20src=x%3E",
      ] {
        let waiting = try WaitingLogin(desk)
        let state = try waiting.parameter("state")
        let (_, page) = try waiting.open("error=\(words)&error_description=\(words)&state=\(state)")
        for tag in ["<script", "<img", "\u{1B}", "\u{7}"] {
          #expect(!page.contains(tag), "\(words)")
        }
        waiting.expectEnd(76)
        #expect(
          !waiting.output.unicodeScalars.contains { "\u{1B}\u{7}".unicodeScalars.contains($0) })
        #expect(try desk.desktop.items().isEmpty)
      }
    }
  }

  /// The code of one deployment is worth nothing at another, and is not sent there.
  @Test func `takes no response of another deployment's sign-in`() throws {
    try Desk.with { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      let (one, another) = (try WaitingLogin(desk), try WaitingLogin(desk, to: other.url))
      let callbacks = (
        try desk.deployment.callback(of: one.address()), try other.callback(of: another.address())
      )
      func query(_ callback: String) throws -> String {
        String(try #require(callback.split(separator: "?").last))
      }
      #expect(try one.open(query(callbacks.1)).status == 400)
      #expect(try another.open(query(callbacks.0)).status == 400)
      // With the right state, an issuer that is another's ends it.
      let state = try one.parameter("state")
      let mixed = "code=x&state=\(state)&iss=\(other.url)"
      _ = try one.open(mixed)
      one.expectEnd(76)
      #expect(try Exchange.send("GET", callbacks.1).status == 200)
      another.expectEnd(0)
      #expect(desk.deployment.requests.tokenRequests().isEmpty)
      #expect(try desk.sessions().map { $0.attributes["deployment"] } == [other.url])
    }
  }

  @Test func `that somebody has taken on any address is not shared`() throws {
    try Desk.with { desk in
      for (family, address) in [("AF_INET", "127.0.0.1"), ("AF_INET", "0.0.0.0")] {
        let script = """
          import socket, sys, time
          s = socket.socket(socket.\(family))
          s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
          s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
          s.bind(('\(address)', 0)); s.listen(8)
          open(sys.argv[1] + '.new', 'w').write(str(s.getsockname()[1]))
          import os; os.rename(sys.argv[1] + '.new', sys.argv[1])
          time.sleep(60)
          """
        let file = "\(desk.directory)/port-\(address)"
        let squatter = try desk.desktop.start("/usr/bin/python3", ["-c", script, file])
        defer { squatter.terminate() }
        waitFor("the squatter") { FileManager.default.fileExists(atPath: file) }
        let port = try String(contentsOfFile: file, encoding: .utf8)
        let result = try desk.run(
          ["login", desk.url, "--method", "oauth", "--port", port], environment: desk.browser())
        expectLoginFailure(result, 75, address)
        #expect(try desk.desktop.items().isEmpty)
      }
      // Its own socket is shared with nobody who comes later.
      let waiting = try WaitingLogin(desk)
      let late = """
        import socket, sys
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, option, 1)
            try:
                s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen(1); print('shared')
            except OSError: pass
        """
      let port = try Self.port(of: waiting)
      #expect(try ChildProcess.run("/usr/bin/python3", ["-c", late, port]).stdout.isEmpty)
      waiting.process.terminate()
    }
  }
}
