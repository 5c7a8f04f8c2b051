import Foundation
import Testing

extension Desk {
  /// Starts an HTTPS server of openssl(1), which has a page about its connection.
  ///
  /// - Returns: where it is, and the file of its certificate, which nobody trusts by himself.
  package func startTLSServer() throws -> (url: String, certificate: String) {
    let certificate = "\(directory)/certificate.pem"
    let key = "\(directory)/key.pem"
    let made = try desktop.run(
      "openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
        certificate,
      ])
    try #require(made.status == 0, "\(made.stderr)")
    let port = try LoopbackListener.freePort()
    let log = "\(directory)/s_server.log"
    _ = try desktop.start(
      "openssl",
      ["s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificate, "-key", key, "-www"],
      log: log)
    waitFor("openssl") {
      (try? String(contentsOfFile: log, encoding: .utf8))?.contains("ACCEPT") == true
    }
    return ("https://127.0.0.1:\(port)", certificate)
  }
}
