import Foundation
import SecretService
import Secrets
import TestDesk
import Testing

@Suite struct `Hundreds of items` {
  private static let isSanitized =
    dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil

  // Exit tests take values from Swift 6.3 on.
  #if compiler(>=6.3)
    @Test(.disabled(if: isSanitized, "a sanitizer holds on to freed memory"))
    func `All are listed and read, and memory stays flat`() async throws {
      let session = try PrivateDesktop(.plaintext)
      session.stopKeyring()
      try fill("\(session.keyrings)/Default_keyring.keyring", count: 300)
      try session.restartKeyring()
      let address: String = session.busAddress
      await #expect(processExitsWith: .success) { [address = address as String] in
        setenv("DBUS_SESSION_BUS_ADDRESS", address, 1)
        let service = try SecretService()
        func list() throws {
          let items = try service.search(ours)
          try #require(items.count == 300)
          let secrets = try service.secrets(of: items).map { try $0.get().revealed }
          try #require(zip(items, secrets).allSatisfy { $0.attributes["account"] == $1 })
        }
        try list()
        let before = try residentKilobytes()
        for _ in 0..<3 { try list() }
        try #require(try residentKilobytes() - before < 2048)
      }
    }
  #endif

  private func fill(_ path: String, count: Int) throws {
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.seekToEnd()
    for number in 1...count {
      let item = """

        [\(number)]
        item-type=0
        display-name=item \(number)
        secret=account \(number)
        mtime=1700000000
        ctime=1700000000

        [\(number):attribute0]
        name=application
        type=string
        value=coder-cred

        [\(number):attribute1]
        name=account
        type=string
        value=account \(number)

        """
      try file.write(contentsOf: Data(item.utf8))
    }
    try file.close()
  }
}

/// What this process holds in memory now, in kB.
private func residentKilobytes() throws -> Int {
  let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
  let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
  return try #require(Int(line.split(separator: " ").dropLast().last ?? ""))
}
