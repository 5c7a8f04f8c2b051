import Foundation
import Glibc
import HTTP
import Testing

extension WireTests {
  /// Which way the client goes.
  @Suite struct ProxyTests {
    let servers: Servers

    init() throws {
      servers = try #require(Servers.current)
    }

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
        let proxy = try ChildProcess(
          ["tinyproxy", "-d", "-c", files.path("\(name).conf")],
          output: files.folder.appendingPathComponent("\(name).out"))
        defer { proxy.end() }
        guard eventually(within: 2_000, { BoundSocket.isOpen(socket.port) }) else { continue }
        try body(socket.port) { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
        return
      }
      throw ChildProcess.Failure(text: "tinyproxy does not serve")
    }

    private func get(_ environment: [String: String]) throws(HTTPError) -> HTTPResponse {
      try CurlClient(settings: servers.trusting(environment))
        .send(HTTPRequest(url: servers.url("valid")))
    }

    @Test func `HTTPS goes through the proxy, whose own fields are not the answer's`() throws {
      try withTinyproxy { port, log in
        for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
          let response = try get([variable: "http://127.0.0.1:\(port)"])
          #expect(response.status == 200)
          #expect(response.header("x-server") == "valid")
          #expect(response.header("proxy-agent") == nil)
        }
        #expect(try get(["HTTPS_PROXY": "127.0.0.1:\(port)"]).status == 200)
        let tunnel = "CONNECT localhost:\(servers.ports["valid"] ?? 0)"
        #expect(eventually(within: 2_000) { log().components(separatedBy: tunnel).count == 6 })
      }
    }

    @Test func `A proxy's credentials are sent to it, and missing ones reported`() throws {
      try withTinyproxy("BasicAuth user \(canary)") { port, _ in
        let response = try get(["HTTPS_PROXY": "http://user:\(canary)@127.0.0.1:\(port)"])
        #expect(response.status == 200)
        for credentials in ["", "\(canary):wrong@", "user:\(canary)x@"] {
          let variables = ["HTTPS_PROXY": "http://\(credentials)127.0.0.1:\(port)"]
          let error = failure(ofGetting: servers.url("valid"), servers.trusting(variables))
          #expect(error?.kind == .unreachable)
          #expect(error?.reason.contains("127.0.0.1:\(port)") == true)
          #expect(error?.reason.contains("40") == true, "\(error?.reason ?? "")")
        }
      }
    }

    @Test func `A certificate is checked behind a proxy too`() throws {
      try withTinyproxy { port, _ in
        let variables = ["HTTPS_PROXY": "http://127.0.0.1:\(port)"]
        let error = failure(ofGetting: servers.url("valid"), settings(variables))
        #expect(error?.kind == .untrusted)
        let expired = failure(ofGetting: servers.url("expired"), servers.trusting(variables))
        #expect(expired?.reason.hasSuffix("has expired") == true)
      }
    }

    @Test func `A dead proxy is unreachable and named without its password`() throws {
      let socket = try BoundSocket(listening: false)
      defer { close(socket.descriptor) }
      let variables = ["HTTPS_PROXY": "http://user:\(canary)@127.0.0.1:\(socket.port)"]
      let error = failure(ofGetting: servers.url("valid"), servers.trusting(variables))
      #expect(error?.kind == .unreachable)
      #expect(error?.reason.contains("127.0.0.1:\(socket.port)") == true)
      let unknown = ["HTTPS_PROXY": "http://user:\(canary)@no-such-proxy.invalid:3128"]
      let unresolved = failure(ofGetting: servers.url("valid"), servers.trusting(unknown))
      #expect(unresolved?.kind == .unreachable)
      #expect(unresolved?.reason.contains("no-such-proxy.invalid") == true)
    }

    @Test(arguments: ["NO_PROXY", "no_proxy"], ["localhost", "example.com,localhost", "*"])
    func `NO_PROXY is respected`(variable: String, value: String) throws {
      let socket = try BoundSocket(listening: false)
      defer { close(socket.descriptor) }
      let proxy = "http://127.0.0.1:\(socket.port)"
      #expect(try get(["HTTPS_PROXY": proxy, variable: value]).status == 200)
      let other = servers.trusting(["HTTPS_PROXY": proxy, variable: "example.com"])
      #expect(failure(ofGetting: servers.url("valid"), other)?.kind == .unreachable)
    }

    @Test(arguments: [
      "ftp://\(canary)@proxy.example", "http://", "http://pro xy", "://\(canary)", "http://a\nb",
    ])
    func `A proxy that is no proxy is a wrong setting`(value: String) {
      let error = failure(
        ofGetting: servers.url("valid"), servers.trusting(["HTTPS_PROXY": value]))
      #expect(error?.kind == .misconfigured)
      #expect(error?.reason.contains("HTTPS_PROXY") == true)
    }

    @Test func `A proxy sees neither our fields nor our path`() throws {
      try RawServer.answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n") { proxy in
        let request = HTTPRequest(
          method: "POST", url: servers.url("valid"),
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
        hasty.connectTimeout = 300
        #expect(failure(ofGetting: servers.url("valid"), hasty)?.kind == .timedOut)
      }
    }

    @Test func `Loopback without encryption goes through no proxy`() throws {
      try RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") { server in
        let proxies = ["http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"]
        let variables = Dictionary(uniqueKeysWithValues: proxies.map { ($0, "http://127.0.0.1:1") })
        let client = CurlClient(settings: settings(variables))
        let status = try client.send(HTTPRequest(url: server.url())).status
        #expect(status == 200)
      }
    }
  }
}
