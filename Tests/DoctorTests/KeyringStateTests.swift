import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What `doctor` says of each Secret Service in the states that it alone has.
@Suite(.blocking) struct `doctor on keyrings of all kinds` {
  @Test func `has a locked keyring ask for its password, once asked`() throws {
    try Desk.with(.locked) { desk in
      let display = try VirtualDisplay(on: desk.desktop)
      try desk.desktop.addPrompter(on: display)
      let environment = ["DISPLAY": display.name]
      let locked = try desk.doctor(environment: environment).expect(
        "keyring", "failure", saying: "locked", fix: "unlock it in your keyring application")
      #expect(locked.isRepairable)
      try desk.repair("Have the keyring ask for its password", environment: environment) {
        let window = try display.waitForWindow("Unlock Login Keyring")
        try display.type(desk.desktop.password, key: "Return", into: window)
      }
      let report = try desk.doctor(environment: environment)
      try report.expect("keyring", "ok", saying: "unlocked")
      try report.expect("keyring round trip", "ok")
    }
  }

  @Test(.enabled(if: KWallet.isExpected))
  func `finds a closed wallet of KWallet, until it is opened`() throws {
    try Desk.with(KWallet(isOpen: false).provider) { desk in
      let report = try desk.doctor()
      try report.expect("Secret Service", "ok", saying: "KWallet")
      try report.expect("keyring", "failure", saying: "locked", fix: "KWalletManager")
      #expect(report["keyring round trip"].isEmpty && report.result.status == 69)
      desk.desktop.stopKeyring()
      try KWallet.restart(desk.desktop)
      let opened = try desk.doctor()
      try opened.expect("keyring", "ok", saying: "unlocked")
      try opened.expect("keyring round trip", "ok")
    }
  }

  @Test func `finds a locked database of KeePassXC, until it is unlocked`() throws {
    try Desk.with(KeePassXC(isOpen: false).provider) { desk in
      let report = try desk.doctor()
      try report.expect(
        "Secret Service", "ok", saying: "KeePassXC, which asks to unlock when it is searched")
      try report.expect(
        "keyring", "failure", saying: "locked", fix: "the database in the window of KeePassXC")
      #expect(report["keyring round trip"].isEmpty && report.result.status == 69)
      desk.desktop.stopKeyring()
      try KeePassXC().restart(desk.desktop)
      let opened = try desk.doctor()
      try opened.expect("keyring", "ok", saying: "unlocked")
      try opened.expect("keyring round trip", "ok")
    }
  }

  @Test(.enabled(if: KWallet.isExpected))
  func `finds that KeePassXC exposes no group and KWallet has no wallet`() throws {
    for (provider, fix) in [
      (KeePassXC(exposesGroup: false).provider, "KeePassXC: Database Settings"),
      (KWallet(hasWallet: false).provider, "KWalletManager: File > New Wallet"),
    ] {
      try Desk.with(provider) { desk in
        let report = try desk.doctor()
        try report.expect("keyring", "failure", saying: "no default keyring", fix: fix)
        #expect(report["keyring round trip"].isEmpty && report.result.status == 69)
      }
    }
  }

  @Test func `finds that KeePassXC asks before it removes an item, until it is told not to`() throws
  {
    try Desk.with(KeePassXC(confirms: true, confirmsRecycling: true).provider) { desk in
      try desk.changeKeePassXC("ConfirmAccessItem", to: "false")
      let report = try desk.doctor()
      try report.expect("keyring", "ok")
      let line = try report.expect(
        "keyring round trip", "warning", saying: "KeePassXC asks before it removes an item",
        fix: "Secret Service Integration")
      #expect(line.message.contains("doctor's probe"), "\(line)")
      #expect(report.result.status == 0)
      #expect(try desk.desktop.items(["kind": "probe"]).count == 1)
      try desk.changeKeePassXC("NoConfirmMoveEntryToRecycleBin", to: "true")
      try desk.doctor().expect("keyring round trip", "ok")
      #expect(try desk.desktop.items(["kind": "probe"]).isEmpty)
    }
  }

  @Test func `takes a Secret Service that it does not know for one that may do`() throws {
    try Desk.with(.fake([])) { desk in
      try desk.doctor().expect("Secret Service", "ok", saying: "one that is not known here")
    }
  }

  @Test func `finds that the bus denies access to the Secret Service`() throws {
    try Desk.with(.withoutBus) { desk in
      try desk.startDenyingBus()
      let report = try desk.doctor()
      try report.expect("session bus", "ok")
      try report.expect(
        "Secret Service", "failure", saying: "denies access", fix: "bus policy must allow")
      #expect(report["keyring"].isEmpty && report.result.status == 69)
    }
    try Desk.with { desk in try desk.doctor().expect("Secret Service", "ok") }
  }

  @Test(arguments: [
    FakeSecretService.Behaviour.noAlias, .locked, .hangs, .diesInSearch, .wrongType,
  ])
  func `has one line for whatever a Secret Service does wrong`(
    behaviour: FakeSecretService.Behaviour
  ) throws {
    try Desk.with(.fake([behaviour])) { desk in
      let report = try desk.doctor()
      let lines = ["Secret Service", "keyring", "keyring round trip"].flatMap { report[$0] }
      #expect(lines.count { $0.status == "failure" } == 1, "\(lines)")
      #expect(report.result.status == 69)
    }
  }
}

extension Desk {
  /// Changes one of KeePassXC's settings, and starts it anew.
  func changeKeePassXC(_ key: String, to value: String) throws {
    let path = "\(directory)/config/keepassxc/keepassxc.ini"
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      .map { $0.hasPrefix("\(key)=") ? "\(key)=\(value)" : String($0) }
    desktop.stopKeyring()
    try write(lines.joined(separator: "\n") + "\n", to: path)
    try KeePassXC().restart(desktop)
  }
}
