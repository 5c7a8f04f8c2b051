import Foundation
import TestDesk
import Testing

/// Environment variables by which libraries write, load or trust something.
@Suite(.blocking) struct `A variable that a library obeys` {
  @Test func `writes no keys of TLS connections`() throws {
    try Desk.with { desk in
      let (url, certificate) = try desk.startTLSServer()
      let keys = "\(desk.directory)/keys"
      let written = "\(desk.directory)/written"
      try FileManager.default.createDirectory(atPath: written, withIntermediateDirectories: true)
      let environment = [
        "SSLKEYLOGFILE": keys, "QLOGDIR": written, "MALLOC_TRACE": "\(written)/malloc",
        "SSL_CERT_FILE": certificate,
      ]
      // It is no deployment; the connection was made all the same.
      let result = try desk.run(["login", url, "--method", "oauth"], environment: environment)
      #expect(result.status == 65, "\(result.stderr)")
      #expect(!FileManager.default.fileExists(atPath: keys))
      #expect(try FileManager.default.contentsOfDirectory(atPath: written) == [])
    }
  }

  @Test(arguments: ["G_DBUS_DEBUG", "G_MESSAGES_DEBUG", "GOBJECT_DEBUG"])
  func `adds nothing to what a tool reads`(name: String) throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      for program in [[:], ["CODER_CRED_ENGINE": "1"]] {
        let result = try desk.run(
          ["token", desk.url], environment: program.merging([name: "all"]) { $1 })
        #expect(result.stdout == "\(token)\n" && result.errors.isEmpty, "\(result.stderr)")
      }
    }
  }
}
