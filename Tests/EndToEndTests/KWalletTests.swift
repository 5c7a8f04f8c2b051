import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// KWallet in the states that it alone has.
@Suite(.blocking, .enabled(if: KWallet.isExpected, "kwalletd5 is not installed"))
struct `KWallet by itself` {
  @Test func `A closed wallet is locked, and nobody is asked to open it`() throws {
    try Desk.with(KWallet(isOpen: false).provider) { desk in
      for arguments in [["token", desk.url], ["get", desk.url], ["status", desk.url]] {
        expectFailure(try desk.run(arguments), 69, saying: "“kdewallet” is locked", arguments[0])
      }
    }
  }

  @Test func `Without a wallet there is no default keyring, and a hint how to make one`() throws {
    try Desk.with(KWallet(hasWallet: false).provider) { desk in
      for arguments in [["token", desk.url], ["get", desk.url], ["list"], ["login", desk.url]] {
        let result = try desk.run(arguments)
        expectFailure(result, 69, saying: "there is no default keyring", arguments[0])
        #expect(result.message("hint")?.contains("KWalletManager") == true, "\(result.stderr)")
      }
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test func `What KWallet was told is in its file at once`() throws {
    try Desk.with(KWallet().provider) { desk in
      try desk.login()
      #expect(try desk.run(["refresh", desk.url]).status == 0)
      let token = try desk.token()
      desk.desktop.stopKeyring()
      expectFailure(try desk.run(["token", desk.url]), 69)
      try KWallet.restart(desk.desktop)
      #expect(try desk.token() == token)
    }
  }

  @Test func `A closed wallet is opened in its own window for login, and for nobody by get`() throws
  {
    try Desk.with(KWallet(isOpen: false, hasDisplay: true).provider) { desk in
      let display = try #require(VirtualDisplay(of: desk.desktop))
      try desk.expectNoPrompt(on: display, saying: "“kdewallet” is locked")
      func login(typing text: String, key: String) throws -> (
        exit: ChildProcess.Exit?, said: String
      ) {
        let log = "\(desk.directory)/\(UUID().uuidString)"
        let login = try desk.start(["login", desk.url], environment: desk.browser(), log: log)
        try display.type(text, key: key, into: display.waitForWindow("Wallet"))
        let exit = login.waitForExit()
        return (exit, (try? String(contentsOfFile: log, encoding: .utf8)) ?? "")
      }
      let dismissed = try login(typing: "", key: "Escape")
      #expect(dismissed.exit == .status(69), "\(dismissed.said)")
      #expect(desk.deployment.requests.isEmpty)
      let opened = try login(typing: desk.desktop.password, key: "Return")
      #expect(opened.exit == .status(0), "\(opened.said)")
      try desk.token()
    }
  }
}
