import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `The fast path and Secret Services of all kinds` {
  static let session = FakeSecretService.Item(
    attributes: [
      "application": "coder-cred", "kind": "session", "account": "alice",
      "deployment": "https://fresh.example",
    ],
    secret: """
      {"v":1,"url":"https://fresh.example","account":"alice","method":"token",\
      "access_token":"\(storedToken)","expires_at":\(Int(time(nil)) + 86_400)}
      """)

  @Test func `Nothing is asked before the first reply, or gnome-keyring aborts`() throws {
    try Desk.with(.fake([], [Self.session])) { desk in
      let fastPath = try desk.copyFastPath(fullProgram: "exit 99")
      let result = try desk.callAlone(fastPath, .words("token", "https://fresh.example"))
      #expect(result.stdout == "\(storedToken)\n", "\(desk.desktop.journal)")
      #expect(desk.desktop.journal.contains("OpenSession after the first reply"))
      #expect(!desk.desktop.journal.contains("early"))
    }
  }

  @Test(
    arguments: [
      .noPlainAlgorithm, .oddSessionOutput, .twoItems, .hangs, .otherAttributes, .diesInSearch,
      .secretNotUTF8, .secretTooLarge, .secretOfOtherSession, .wrongType, .secretEncrypted,
    ] as [FakeSecretService.Behaviour])
  func `Whatever a service does that is not plain is left to the full program`(
    behaviour: FakeSecretService.Behaviour
  ) throws {
    try Desk.with(.fake([behaviour], [Self.session])) { desk in
      let fastPath = try desk.copyFastPath(fullProgram: "exit 99")
      func isOpened() -> Bool {
        desk.desktop.journal.contains("OpenSession") || behaviour == .wrongType
      }
      var result = try desk.call(fastPath, .words("token", "https://fresh.example"))
      // It may have handed over for half a second of delay, before it came so far.
      for _ in 1...5 where !eventually(timeoutSeconds: 2, isOpened) {
        result = try desk.call(fastPath, .words("token", "https://fresh.example"))
      }
      #expect(result.status == 99 && result.output.isEmpty && result.errors.isEmpty)
      #expect(isOpened(), "\(desk.desktop.journal)")
    }
  }

  @Test(arguments: [.locked, .hidesLockedItems, .noAlias] as [FakeSecretService.Behaviour])
  func `What is locked is not searched, or KeePassXC raises a window`(
    behaviour: FakeSecretService.Behaviour
  ) throws {
    try Desk.with(.fake([behaviour], [Self.session])) { desk in
      let fastPath = try desk.copyFastPath(fullProgram: "exit 99")
      let result = try desk.call(fastPath, .words("token", "https://fresh.example"))
      #expect(result.status == 99 && result.output.isEmpty && result.errors.isEmpty)
      #expect(!desk.desktop.journal.contains("SearchItems"), "\(desk.desktop.journal)")
    }
  }

  @Test func `The empty bytes that KWallet opens a session with are as good as an empty string`()
    throws
  {
    try Desk.with(.fake([.emptyBytesAsSessionOutput], [Self.session])) { desk in
      let fastPath = try desk.copyFastPath(fullProgram: "exit 99")
      let result = try desk.callAlone(fastPath, .words("token", "https://fresh.example"))
      #expect(result.stdout == "\(storedToken)\n", "\(desk.desktop.journal)")
    }
  }
}
