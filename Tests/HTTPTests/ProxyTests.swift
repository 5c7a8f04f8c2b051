import Foundation
import Glibc
import HTTP
import Synchronization
import TestDesk
import Testing

extension WireTests {
  /// Which way the client goes.
  @Suite struct ProxyTests {
    let servers: Servers

    init() throws {
      servers = try #require(Servers.current)
    }

    /// The address of a server that is reached through a proxy: one on loopback never is.
    private func url(_ name: String) -> String { servers.url(name, host: "0.0.0.0") }

    /// Runs a tinyproxy; gives its port and a function that reads its log.
    private func withTinyproxy(_ lines: String = "", _ body: (UInt16, () -> String) throws -> Void)
      throws
    {
      let files = servers.certificates
      for _ in 0..<5 {
        let name = "tinyproxy-\(UUID().uuidString)"
        // tinyproxy can neither choose a port nor inherit one: take one that is free now.
        let socket = try BoundSocket(listening: false)
        close(socket.descriptor)
        let log = files.path("\(name).log")
        let configuration = """
          Port \(socket.port)
          Listen 127.0.0.1
          Timeout 10
          MaxClients 10
          Allow 127.0.0.1
          LogFile "\(log)"
          LogLevel Connect
          \(lines)

          """
        try configuration.write(
          toFile: files.path("\(name).conf"), atomically: true, encoding: .utf8)
        let proxy = try ChildProcess.start(
          "tinyproxy", ["-d", "-c", files.path("\(name).conf")], log: files.path("\(name).out"))
        defer { proxy.end() }
        guard eventually({ BoundSocket.isOpen(socket.port) }), proxy.exit == nil
        else { continue }
        try body(socket.port) { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
        return
      }
      Issue.record("tinyproxy does not serve")
    }

    private func get(_ environment: [String: String]) throws(HTTPError) -> HTTPResponse {
      try CurlClient(settings: servers.trusting(environment))
        .send(HTTPRequest(url: url("valid")))
    }

    @Test func `HTTPS goes through the proxy, whose own fields are not the response's`() throws {
      try withTinyproxy { port, log in
        for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
          let response = try get([variable: "http://127.0.0.1:\(port)"])
          #expect(response.status == 200)
          #expect(response.header("x-server") == "valid")
          #expect(response.header("proxy-agent") == nil)
        }
        #expect(try get(["HTTPS_PROXY": "127.0.0.1:\(port)"]).status == 200)
        let tunnel = "CONNECT 0.0.0.0:\(servers.ports["valid"] ?? 0)"
        #expect(eventually { log().components(separatedBy: tunnel).count == 6 })
      }
    }

    @Test func `A proxy's credentials are sent to it, and missing ones reported`() throws {
      try withTinyproxy("BasicAuth user \(canary)") { port, _ in
        let response = try get(["HTTPS_PROXY": "http://user:\(canary)@127.0.0.1:\(port)"])
        #expect(response.status == 200)
        for credentials in ["", "\(canary):wrong@", "user:\(canary)x@"] {
          let variables = ["HTTPS_PROXY": "http://\(credentials)127.0.0.1:\(port)"]
          let error = failure(ofGetting: url("valid"), servers.trusting(variables))
          #expect(error?.kind == .unreachable)
          #expect(error?.reason.contains("127.0.0.1:\(port)") == true)
          #expect(error?.reason.contains("40") == true, "\(error?.reason ?? "")")
        }
      }
    }

    @Test func `A certificate is checked behind a proxy too`() throws {
      try withTinyproxy { port, _ in
        let variables = ["HTTPS_PROXY": "http://127.0.0.1:\(port)"]
        let error = failure(ofGetting: url("valid"), settings(variables))
        #expect(error?.kind == .untrusted)
        let expired = failure(ofGetting: url("expired"), servers.trusting(variables))
        #expect(expired?.reason.hasSuffix("has expired") == true)
      }
    }

    @Test func `A dead proxy is unreachable and named without its password`() throws {
      let socket = try BoundSocket(listening: false)
      defer { close(socket.descriptor) }
      let variables = ["HTTPS_PROXY": "http://user:\(canary)@127.0.0.1:\(socket.port)"]
      let error = failure(ofGetting: url("valid"), servers.trusting(variables))
      #expect(error?.kind == .unreachable)
      #expect(error?.reason.contains("127.0.0.1:\(socket.port)") == true)
      let unknown = ["HTTPS_PROXY": "http://user:\(canary)@no-such-proxy.invalid:3128"]
      let unresolved = failure(ofGetting: url("valid"), servers.trusting(unknown))
      #expect(unresolved?.kind == .unreachable)
      #expect(unresolved?.reason.contains("no-such-proxy.invalid") == true)
    }

    @Test(arguments: ["NO_PROXY", "no_proxy"], ["0.0.0.0", "example.com, 0.0.0.0/8", "*", "PORT"])
    func `NO_PROXY is respected`(variable: String, value: String) throws {
      let socket = try BoundSocket(listening: false)
      defer { close(socket.descriptor) }
      let proxy = "http://127.0.0.1:\(socket.port)"
      let value = value == "PORT" ? "0.0.0.0:\(servers.ports["valid"] ?? 0)" : value
      #expect(try get(["HTTPS_PROXY": proxy, variable: value]).status == 200)
      for other in ["example.com", "0.0.0.0:1", "0.0.0.1", ".0.0.0.0", ""] {
        let through = servers.trusting(["HTTPS_PROXY": proxy, variable: other])
        #expect(failure(ofGetting: url("valid"), through)?.kind == .unreachable, "\(other)")
      }
    }

    @Test(arguments: [
      "http://", "http://pro xy", "://\(canary)", "http://a\nb", "http://[::1", "http://a:99999",
      "http://user:\(canary)100%@proxy.example", "http://user:\(canary)%0A@proxy.example",
      "http://us%00er:\(canary)@proxy.example", "http://\(canary)\u{FC}@proxy.example",
    ])
    func `A proxy that is no proxy is a wrong setting`(value: String) {
      let error = failure(ofGetting: url("valid"), servers.trusting(["HTTPS_PROXY": value]))
      #expect(error?.kind == .misconfigured)
      #expect(error?.reason.contains("HTTPS_PROXY") == true)
    }

    @Test(arguments: ["ftp", "socks", "quic", "http+unix"])
    func `A proxy of a scheme that is not spoken is named by it`(scheme: String) {
      let variables = ["ALL_PROXY": "\(scheme)://user:\(canary)@proxy.example"]
      let error = failure(ofGetting: url("valid"), servers.trusting(variables))
      #expect(error?.kind == .misconfigured)
      #expect(error?.reason.contains("ALL_PROXY names a proxy of the scheme \(scheme);") == true)
    }

    @Test(arguments: [
      ("user:pass", "user:pass"), ("user", "user:"), (":pass", ":pass"), ("user:", "user:"),
      ("us%40er:p%3Ass%25", "us@er:p:ss%"), ("user:p@ss", "user:p@ss"), ("user:a:b", "user:a:b"),
      ("-._~!$&'()*+,;=:-._~!$&'()*+,;=", "-._~!$&'()*+,;=:-._~!$&'()*+,;="),
      ("corp%5Cuser:%2F%3F%23", #"corp\user:/?#"#), ("%C3%BC:p%20w", "\u{FC}:p w"),
    ])
    func `Every legal user part reaches the proxy`(userPart: String, credentials: String) throws {
      try RawServer.answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n") { proxy in
        let variables = ["HTTPS_PROXY": "http://\(userPart)@127.0.0.1:\(proxy.port)/"]
        #expect(failure(ofGetting: url("valid"), servers.trusting(variables))?.kind == .unreachable)
        let expected = "Proxy-Authorization: Basic \(Data(credentials.utf8).base64EncodedString())"
        let lines = try #require(proxy.requests.first).components(separatedBy: "\r\n")
        #expect(lines.contains(expected), "\(lines)")
      }
    }

    @Test func `A password need not be UTF-8, and an empty user part is none`() throws {
      try RawServer.answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n") { proxy in
        for userPart in ["u:%FC@", "@"] {
          let variables = ["HTTPS_PROXY": "http://\(userPart)127.0.0.1:\(proxy.port)"]
          _ = failure(ofGetting: url("valid"), servers.trusting(variables))
        }
        let latin1 = Data([0x75, 0x3A, 0xFC]).base64EncodedString()
        #expect(proxy.requests.count == 2)
        #expect(proxy.requests.first?.contains("Proxy-Authorization: Basic \(latin1)\r\n") == true)
        #expect(proxy.requests.last?.contains("Proxy-Authorization") == false)
      }
    }

    @Test(arguments: [
      (["NTLM"], "takes only NTLM authentication"),
      (["Negotiate", "NTLM"], "takes only NTLM or Negotiate authentication"),
      ([#"Digest realm="x", nonce="y""#], "takes only Digest authentication"),
      (["NTLM", #"Basic realm="\#(canary)""#], "wants a user name and a password"),
      ([], "wants a user name and a password"),
    ])
    func `What a proxy asks for is named`(schemes: [String], words: String) throws {
      let fields = schemes.map { "Proxy-Authenticate: \($0)\r\n" }.joined()
      let response = "HTTP/1.1 407 Denied\r\n\(fields)Content-Length: 0\r\n\r\n"
      try RawServer.answering(response) { proxy in
        let variables = ["HTTPS_PROXY": proxy.url()]
        let error = failure(ofGetting: url("valid"), servers.trusting(variables))
        #expect(error?.kind == .unreachable)
        #expect(error?.reason.contains(words) == true, "\(error?.reason ?? "")")
        #expect(error?.reason.contains("127.0.0.1:\(proxy.port)") == true)
      }
    }

    @Test func `A proxy without a port has the one of its scheme, as in Go`() {
      for (proxy, port) in [("http://", 80), ("https://", 443), ("socks5://", 1080), ("", 80)] {
        let variables = ["HTTPS_PROXY": "\(proxy)no-such-proxy.invalid"]
        let error = failure(ofGetting: url("valid"), servers.trusting(variables))
        #expect(error?.kind == .unreachable)
        #expect(
          error?.reason.contains("no-such-proxy.invalid:\(port)") == true, "\(error?.reason ?? "")")
      }
    }

    @Test(arguments: ["socks5", "socks5h"])
    func `A SOCKS 5 proxy resolves the name, as in Go`(scheme: String) throws {
      let seen = Mutex<[UInt8]>([])
      try RawServer.run({ connection in
        func receive() -> [UInt8] {
          var buffer = [UInt8](repeating: 0, count: 512)
          let count = recv(connection.descriptor, &buffer, buffer.count, 0)
          return count > 0 ? Array(buffer[..<count]) : []
        }
        let greeting = receive()
        // RFC 1928 §3: the methods offered; Kerberos (1) must not be among them.
        guard greeting.first == 5, !greeting.dropFirst(2).contains(1) else { return }
        connection.send([5, 0])
        let request = receive()
        seen.withLock { $0 = request }
      }) { proxy in
        let variables = ["ALL_PROXY": "\(scheme)://127.0.0.1:\(proxy.port)"]
        let error = failure(
          ofGetting: "https://coder.example.invalid/", servers.trusting(variables))
        #expect(error?.kind == .unreachable, "\(error?.reason ?? "")")
      }
      // RFC 1928 §4: version, CONNECT, reserved, a domain name, its length.
      let name = Array("coder.example.invalid".utf8)
      #expect(seen.withLock { $0.starts(with: [5, 1, 0, 3, UInt8(name.count)] + name) })
    }

    @Test func `Capitals count first, as in Go, and what is for HTTPS before what is for all`()
      throws
    {
      let dead = "http://no-such-proxy.invalid"
      try RawServer.answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n") { proxy in
        for variables in [
          ["HTTPS_PROXY": proxy.url(), "https_proxy": dead],
          ["https_proxy": proxy.url(), "ALL_PROXY": dead],
          ["ALL_PROXY": proxy.url(), "all_proxy": dead],
          ["HTTPS_PROXY": proxy.url(), "NO_PROXY": "example.com", "no_proxy": "*"],
        ] {
          let error = failure(ofGetting: url("valid"), servers.trusting(variables))
          #expect(error?.reason.contains("(502)") == true, "\(variables.keys)")
        }
        #expect(proxy.connectionCount == 4)
      }
    }

    @Test func `In a CGI program HTTP_PROXY is refused, and only that`() throws {
      try RawServer.answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n") { proxy in
        var variables = ["HTTP_PROXY": proxy.url(), "REQUEST_METHOD": "GET"]
        var allowed = settings(variables)
        allowed.allowsPlainHTTP = true
        #expect(failure(ofGetting: "http://coder.example/", allowed)?.kind == .misconfigured)
        #expect(proxy.connectionCount == 0)
        variables["REQUEST_METHOD"] = nil
        allowed.environment = variables
        let client = CurlClient(settings: allowed)
        let status = try client.send(HTTPRequest(url: "http://coder.example/")).status
        #expect(status == 502)
        #expect(proxy.requests.first?.hasPrefix("GET http://coder.example/ HTTP/1.1\r\n") == true)
      }
    }

    @Test func `A proxy sees neither our fields nor our path`() throws {
      try RawServer.answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n") { proxy in
        let request = HTTPRequest(
          method: "POST", url: url("valid"),
          headers: [HTTPField("Authorization", "Bearer \(canary)")], body: Array(canary.utf8))
        let error = failure(of: request, servers.trusting(["HTTPS_PROXY": proxy.url()]))
        #expect(error?.kind == .unreachable)
        #expect(error?.reason.contains("502") == true)
        #expect(proxy.requests.count == 1)
        #expect(proxy.requests.allSatisfy { $0.hasPrefix("CONNECT ") && !$0.contains(canary) })
      }
    }

    @Test func `A proxy that never connects is left at the connect deadline`() throws {
      try RawServer.run({ $0.waitForHangUp() }) { proxy in
        var hasty = servers.trusting(["HTTPS_PROXY": proxy.url()])
        hasty.connectTimeoutMilliseconds = 300
        #expect(failure(ofGetting: url("valid"), hasty)?.kind == .unreachable)
      }
    }

    @Test func `Loopback is reached through no proxy`() throws {
      let proxies = ["http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"]
      let variables = Dictionary(uniqueKeysWithValues: proxies.map { ($0, "http://127.0.0.1:1") })
      try RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") { server in
        let client = CurlClient(settings: settings(variables))
        let status = try client.send(HTTPRequest(url: server.url())).status
        #expect(status == 200)
      }
      for host in ["localhost", "127.0.0.1"] {
        let client = CurlClient(settings: servers.trusting(variables))
        let status = try client.send(HTTPRequest(url: servers.url("valid", host: host))).status
        #expect(status == 200)
      }
    }
  }
}
