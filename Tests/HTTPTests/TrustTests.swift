import Foundation
import Glibc
import HTTP
import Testing

extension WireTests {
  /// Whom the client believes.
  @Suite struct TrustTests {
    let servers: Servers

    init() throws {
      servers = try #require(Servers.current)
    }

    private func get(_ url: String, _ settings: TransportSettings) throws(HTTPError)
      -> HTTPResponse
    {
      try CurlClient(settings: settings).send(HTTPRequest(url: url))
    }

    @Test func `A CA file makes its servers trusted, over HTTP 2 and TLS 1.3`() throws {
      let response = try get(servers.url("valid"), servers.trusting())
      #expect(response.status == 200)
      #expect(response.header("x-server") == "valid")
      #expect(String(decoding: response.body, as: UTF8.self) == "HTTP/2.0 TLSv1.3 GET NONE")
    }

    @Test func `A POST passes over HTTP 2 as well`() throws {
      let request = HTTPRequest(
        method: "POST", url: servers.url("valid"), body: [UInt8](repeating: 0x61, count: 20_000))
      let response = try CurlClient(settings: servers.trusting()).send(request)
      #expect(String(decoding: response.body, as: UTF8.self) == "HTTP/2.0 TLSv1.3 POST NONE")
    }

    @Test func `SSL_CERT_FILE and SSL_CERT_DIR are obeyed`() throws {
      let file = settings(["SSL_CERT_FILE": servers.certificates.path("ca.pem")])
      #expect(try get(servers.url("valid"), file).status == 200)
      let folder = servers.certificates.folder.path
      let directory = settings(["SSL_CERT_DIR": "/nowhere:\(folder)"])
      #expect(try get(servers.url("valid"), directory).status == 200)
    }

    @Test func `A CA file is trusted instead of SSL_CERT_FILE, not besides it`() {
      var other = settings(["SSL_CERT_FILE": servers.certificates.path("ca.pem")])
      other.caFile = servers.certificates.path("other-ca.pem")
      #expect(failure(ofGetting: servers.url("valid"), other)?.kind == .untrusted)
    }

    @Test func `The system's store does not know the test's authority`() {
      let error = failure(ofGetting: servers.url("valid"))
      #expect(error?.kind == .untrusted)
      #expect(error?.reason.contains("unknown authority") == true)
    }

    @Test func `An expired certificate is called expired`() {
      let error = failure(ofGetting: servers.url("expired"), servers.trusting())
      #expect(error?.kind == .untrusted)
      #expect(error?.reason.hasSuffix("has expired") == true)
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func `A certificate for another host is called that`(host: String) {
      let url = servers.url("elsewhere", host: host)
      let error = failure(ofGetting: url, servers.trusting())
      #expect(error?.kind == .untrusted)
      #expect(error?.reason.hasSuffix("is for another host name") == true, "\(error?.reason ?? "")")
    }

    @Test func `A CA file that is missing, no plain file, too large or no PEM is a wrong setting`()
      throws
    {
      let nonsense = servers.certificates.path("nonsense.pem")
      try canary.write(toFile: nonsense, atomically: true, encoding: .utf8)
      let fifo = servers.certificates.path("fifo.pem")
      try #require(mkfifo(fifo, 0o600) == 0)
      let huge = servers.certificates.path("huge.pem")
      try #require(FileManager.default.createFile(atPath: huge, contents: nil))
      try #require(truncate(huge, 1 << 30) == 0)
      for path in [
        "/nowhere/ca.pem", servers.certificates.folder.path, nonsense, fifo, huge, "/dev/zero",
      ] {
        var wrong = settings()
        wrong.caFile = path
        #expect(failure(ofGetting: servers.url("valid"), wrong)?.kind == .misconfigured)
        let variable = settings(["SSL_CERT_FILE": path])
        #expect(failure(ofGetting: servers.url("valid"), variable)?.kind == .misconfigured)
      }
      let directory = settings(["SSL_CERT_DIR": "/nowhere"])
      #expect(failure(ofGetting: servers.url("valid"), directory)?.kind == .misconfigured)
    }

    @Test func `An empty variable counts as unset`() {
      let empty = settings(["SSL_CERT_FILE": "", "SSL_CERT_DIR": "", "HTTPS_PROXY": ""])
      #expect(failure(ofGetting: servers.url("valid"), empty)?.kind == .untrusted)
    }

    @Test func `A server without TLS and one that hangs up are unreachable`() throws {
      try RawServer.run({ $0.send("HTTP/1.1 400 Bad Request\r\n\r\n") }) { server in
        let error = failure(ofGetting: "https://127.0.0.1:\(server.port)/?\(canary)")
        #expect(error?.kind == .unreachable, "\(error?.reason ?? "")")
        #expect(error?.reason.hasSuffix("does not speak TLS") == true)
      }
      try RawServer.run({ $0.reset() }) { server in
        let error = failure(ofGetting: "https://127.0.0.1:\(server.port)/?\(canary)")
        #expect(error?.kind == .unreachable, "\(error?.reason ?? "")")
      }
    }
  }
}
