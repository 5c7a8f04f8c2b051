import Foundation
import HTTP
import TestDesk
import Testing

extension WireTests {
  /// Who the client says it is, by certificate.
  @Suite struct ClientCertificateTests {
    let servers: Servers

    init() throws {
      servers = try #require(Servers.current)
    }

    private func presenting(_ certificate: String?, key: String? = nil) -> TransportSettings {
      var presenting = servers.trusting()
      presenting.clientCertificateFile = certificate.map(servers.certificates.path)
      presenting.clientKeyFile = key.map(servers.certificates.path)
      return presenting
    }

    /// Runs an `openssl s_server` that wants a client certificate of the test's authority.
    private func withDemandingServer(_ options: [String], _ body: (String) throws -> Void) throws {
      let files = servers.certificates
      let output = files.folder.appendingPathComponent("s_server-\(UUID().uuidString)")
      let server = try ChildProcess.start(
        "openssl",
        [
          "s_server", "-accept", "127.0.0.1:0", "-www", "-Verify", "1",
          "-verify_return_error", "-CAfile", files.path("ca.pem"),
          "-cert", files.path("valid.pem"), "-key", files.path("valid.key"),
        ] + options, log: output.path)
      defer { server.end() }
      var port: Substring = ""
      let isServing = eventually {
        let mark = "ACCEPT 127.0.0.1:"
        guard let line = server.logText.split(separator: "\n").first(where: { $0.hasPrefix(mark) })
        else { return false }
        port = line.dropFirst(mark.count)
        return true
      }
      try #require(isServing, "\(server.logText)")
      try body("https://localhost:\(port)/?\(canary)")
    }

    @Test(arguments: [("client.key", true), ("both", false)])
    func `A client certificate is shown, its key in its own file or with it`(
      key: String, isApart: Bool
    ) throws {
      let both = servers.certificates.path("client-both-\(UUID().uuidString).pem")
      let parts = try ["client.pem", "client.key"].map {
        try String(contentsOfFile: servers.certificates.path($0), encoding: .utf8)
      }
      try parts.joined().write(toFile: both, atomically: true, encoding: .utf8)
      var shown = presenting("client.pem", key: "client.key")
      if !isApart {
        shown.clientCertificateFile = both
        shown.clientKeyFile = nil
      }
      let response = try CurlClient(settings: shown).send(HTTPRequest(url: servers.url("mutual")))
      #expect(String(decoding: response.body, as: UTF8.self).hasSuffix(" SUCCESS"))
    }

    @Test func `Without a client certificate none is shown`() throws {
      let response = try CurlClient(settings: servers.trusting()).send(
        HTTPRequest(url: servers.url("mutual")))
      #expect(String(decoding: response.body, as: UTF8.self).hasSuffix(" NONE"))
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func `A server that knows our certificate responds`(version: String) throws {
      try withDemandingServer([version]) { url in
        let client = CurlClient(settings: presenting("client.pem", key: "client.key"))
        let status = try client.send(HTTPRequest(url: url)).status
        #expect(status == 200)
      }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"])
    func `A certificate the server does not accept is rejected`(version: String) throws {
      try withDemandingServer([version]) { url in
        let error = failure(ofGetting: url, presenting("stranger.pem", key: "stranger.key"))
        #expect(error?.kind == .clientCertificateRejected, "\(error?.reason ?? "")")
        #expect(error?.reason.contains("unknown authority") == true)
      }
    }

    @Test func `A server that wants a certificate says so`() throws {
      try withDemandingServer(["-tls1_3"]) { url in
        let error = failure(ofGetting: url, servers.trusting())
        #expect(error?.kind == .clientCertificateRejected, "\(error?.reason ?? "")")
        #expect(error?.reason.contains("wants a client certificate") == true)
      }
    }

    static let unusable: [(String?, String?)] = [
      ("missing.pem", "client.key"), ("client.pem", "missing.key"),
      ("client.pem", "stranger.key"), ("client.key", "client.key"),
      ("client.pem", "client-locked.key"), (nil, "client.key"), ("client.pem", nil),
    ]

    @Test(arguments: unusable)
    func `A certificate and key that cannot be used are a wrong setting, and nobody is asked`(
      certificate: String?, key: String?
    ) {
      let error = failure(ofGetting: servers.url("mutual"), presenting(certificate, key: key))
      #expect(error?.kind == .misconfigured, "\(error?.reason ?? "")")
    }
  }
}
