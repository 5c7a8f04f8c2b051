import Foundation
import TestDesk
import Testing

@testable import coder_cred_engine

@Suite struct `The manual of the settings` {
  @Test func `describes every key`() throws {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../man/coder-cred.5").standardized
    let described = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
      .filter { $0.hasPrefix(".It Cm ") }
      .flatMap { $0.dropFirst(".It Cm ".count).split(separator: " ") }
      .map(String.init).filter { $0 != "," }
    #expect(described.sorted() == SettingKey.all.map(\.name).sorted())
  }
}

@Suite(.blocking) struct `The README` {
  @Test func `quotes what is said when the keyring is out of reach as it is said`() throws {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../README.md").standardized
    let readme = try String(contentsOf: page, encoding: .utf8)
    for provider in [SecretServiceProvider.withoutBus, .withoutService, .locked] {
      try Desk.with(provider) { desk in
        let result = try desk.run(["token", "https://h.example"])
        if let message = result.message("error") {
          #expect(readme.contains("`" + message.prefix(18)), "\(message)")
        }
        let report = try desk.run(["doctor", "--json"])
        #expect(report.status == 69)
      }
    }
  }
}
