import Foundation
import Glibc
import HTTP
import Secrets
import Testing

extension WireTests {
  /// The keys of TLS connections stay in the process.
  @Suite struct KeyLogTests {
    // Exit tests take values from Swift 6.3 on.
    #if compiler(>=6.3)
      @Test func `SSLKEYLOGFILE has no effect once the process is hardened`() async throws {
        let servers = try #require(Servers.current)
        let url = servers.url("valid")
        let authority = servers.certificates.path("ca.pem")
        for isHardened in [false, true] {
          let file = servers.certificates.path("keys-\(isHardened)")
          await #expect(processExitsWith: .success) {
            [
              url = url as String, authority = authority as String, file = file as String,
              isHardened = isHardened as Bool
            ] in
            setenv("SSLKEYLOGFILE", file, 1)
            if isHardened { ProcessHardening.apply() }
            var trusting = settings()
            trusting.caFile = authority
            _ = try CurlClient(settings: trusting).send(HTTPRequest(url: url))
            exit(0)
          }
          // Without the hardening the file is written: the test would notice.
          #expect(FileManager.default.fileExists(atPath: file) == !isHardened)
        }
      }
    #endif
  }
}
