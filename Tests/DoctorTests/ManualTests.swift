import Foundation
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
