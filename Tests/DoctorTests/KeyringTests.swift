import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `doctor on the keyring` {
  @Test func `finds that there is no bus, or another one`() throws {
    try Desk.with { desk in
      try desk.doctor().expect("session bus", "ok", saying: desk.desktop.busAddress)
      let none = try desk.doctor(
        environment: ["DBUS_SESSION_BUS_ADDRESS": "", "XDG_RUNTIME_DIR": "\(desk.directory)/state"])
      try none.expect("session bus", "failure", saying: "DBUS_SESSION_BUS_ADDRESS is not set")
      #expect(none.result.status == 69)
      #expect(none["keyring"].isEmpty && none["Secret Service"].isEmpty)
      let gone = try desk.doctor(
        environment: ["DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere/bus"])
      try gone.expect("session bus", "failure", saying: "/nowhere/bus cannot be reached")
    }
  }

  @Test func `finds an address of a bus that has ended, and tells one that lives`() throws {
    try Desk.with { desk in
      let stale = ["DBUS_SESSION_BUS_ADDRESS": "unix:path=\(desk.directory)/ended"]
      // Where no other bus is to be seen, the variable alone may be wrong.
      try desk.doctor(environment: stale).expect(
        "session bus", "failure", saying: "cannot be reached",
        fix: "unset DBUS_SESSION_BUS_ADDRESS")
      try FileManager.default.createSymbolicLink(
        atPath: "\(desk.directory)/run/bus", withDestinationPath: "\(desk.directory)/bus")
      let fix =
        try desk.doctor(environment: stale).expect(
          "session bus", "failure", saying: "cannot be reached"
        ).fix ?? ""
      let command = try #require(fix.range(of: "export DBUS_SESSION_BUS_ADDRESS="))
      let mended = try desk.doctor(after: "\(fix[command.lowerBound...])", environment: stale)
      try mended.expect("session bus", "ok", saying: "unix:path=\(desk.directory)/run/bus")
      try mended.expect("keyring round trip", "ok")
    }
  }

  @Test(.enabled(if: OwnRoot.isAvailable, "no mounts in user namespaces here"))
  func `finds that cron names no runtime directory, and tells which one has the bus`() throws {
    try Desk.with { desk in
      let bus =
        "mkdir -p run/user/0; chmod 700 run/user/0; ln -s \(desk.directory)/bus run/user/0/bus"
      let cron = "unset DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR\n"
      let report = try desk.doctorInOwnRoot(
        make: "ln -s \(desk.directory)/bus run/bus", shell: cron + "coder-cred doctor --json")
      let fix = try report.expect("session bus", "failure", saying: "there is no session bus").fix
      let command = try #require(fix?.firstMatch(of: /export XDG_RUNTIME_DIR=[^;\n]*/)?.0)
      let mended = try desk.doctorInOwnRoot(
        make: bus, shell: cron + command + "\ncoder-cred doctor --json")
      try mended.expect("session bus", "ok", saying: "XDG_RUNTIME_DIR")
      try mended.expect("keyring round trip", "ok")
    }
  }

  @Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))
  func `finds that the bus is another user's, until the variable is unset`() throws {
    try Desk.with { desk in
      let socket = "\(desk.directory)/theirs"
      try desk.write("", to: socket)
      try #require(chown(socket, OtherUser.id, OtherUser.id) == 0)
      try FileManager.default.createSymbolicLink(
        atPath: "\(desk.directory)/run/bus", withDestinationPath: "\(desk.directory)/bus")
      let theirs = ["DBUS_SESSION_BUS_ADDRESS": "unix:path=\(socket)"]
      let report = try desk.doctor(environment: theirs)
      try report.expect(
        "session bus", "failure", saying: "belongs to the user \(OtherUser.id), not to you",
        fix: "unset DBUS_SESSION_BUS_ADDRESS")
      #expect(report["keyring"].isEmpty && report.result.status == 69)
      try desk.doctor(after: "unset DBUS_SESSION_BUS_ADDRESS", environment: theirs).expect(
        "session bus", "ok")
    }
  }

  @Test func `finds that no Secret Service runs, and tells how to have one without a desktop`()
    throws
  {
    try Desk.with(.withoutService) { desk in
      let report = try desk.doctor()
      try report.expect("session bus", "ok")
      try report.expect("Secret Service", "failure", saying: "no Secret Service runs")
      // In a container the line on the sandbox says so.
      #expect(report.lines.contains { $0.fix?.contains("dbus-run-session") == true })
      #expect(report.result.status == 69)
      try desk.desktop.restartKeyring(unlock: true)
      try desk.doctor().expect("Secret Service", "ok", saying: "gnome-keyring")
    }
  }

  @Test func `finds a keyring that is locked, until it is unlocked`() throws {
    try Desk.with(.locked) { desk in
      let report = try desk.doctor()
      try report.expect("keyring", "failure", saying: "locked", fix: "unlock it")
      #expect(report.result.status == 69 && report["keyring round trip"].isEmpty)
      try desk.desktop.unlock()
      let after = try desk.doctor()
      try after.expect("keyring", "ok", saying: "unlocked")
      try after.expect("keyring round trip", "ok", saying: "stored, read and removed")
    }
  }

  @Test func `takes no password of git's for a deployment, while the keyring is locked`() throws {
    try Desk.withSession { desk in
      let stored = try desk.run(
        ["store"],
        input: "protocol=https\nhost=git.invalid\nusername=a\npassword=\(desk.plant())\n")
      #expect(stored.status == 0)
      try desk.desktop.lock()
      let report = try desk.doctor()
      try report.expect("server", "ok", saying: desk.url)
      #expect(!report.result.stdout.contains("git.invalid"), "\(report.lines)")
    }
  }

  @Test func `finds that there is no keyring at all, until one is made`() throws {
    try Desk.with(.withoutCollection) { desk in
      let report = try desk.doctor()
      try report.expect(
        "keyring", "failure", saying: "no default keyring",
        fix: "make one in your keyring application")
      #expect(report.result.status == 69 && report["keyring round trip"].isEmpty)
      _ = try desk.desktop.makeCollection("Login", isDefault: true)
      let after = try desk.doctor()
      try after.expect("keyring", "ok", saying: "unlocked")
      try after.expect("keyring round trip", "ok")
    }
  }

  @Test func `finds a keyring without a password, opened just now or long ago, until it has one`()
    throws
  {
    try Desk.with(.plaintext) { desk in
      for _ in 1...2 {
        let report = try desk.doctor()
        try report.expect("keyring", "warning", saying: "no password", fix: "Change Password")
        try report.expect("keyring round trip", "ok")
      }
      try desk.desktop.setPassword()
      let after = try desk.doctor()
      try after.expect("keyring", "ok", saying: "unlocked")
      try after.expect("keyring round trip", "ok")
    }
  }

  @Test(arguments: [
    FakeSecretService.Behaviour.promptsBeforeWriting, .secretOfOtherSession, .secretNotUTF8,
    .noPlainAlgorithm,
  ])
  func `finds a keyring that does not keep an item`(behaviour: FakeSecretService.Behaviour) throws {
    try Desk.with(.fake([behaviour, .ownSchema])) { desk in
      let report = try desk.doctor()
      #expect(report["keyring round trip"].map(\.status) == ["failure"], "\(report.lines)")
      #expect(report.result.status == 69)
    }
    // Another service in its place keeps one.
    try Desk.with { desk in try desk.doctor().expect("keyring round trip", "ok") }
  }

  @Test
  func `finds that KeePassXC confirms, for which no command can wait, until it is told not to`()
    throws
  {
    try Desk.with(KeePassXC(confirms: true).provider) { desk in
      let report = try desk.doctor()
      try report.expect("Secret Service", "ok", saying: "KeePassXC")
      try report.expect(
        "keyring", "warning", saying: "KeePassXC asks", fix: "Secret Service Integration")
      // Whoever made an item may read and remove it.
      try report.expect("keyring round trip", "ok")
      #expect(try desk.desktop.items(["kind": "probe"]).isEmpty)
      try desk.changeKeePassXC("ConfirmAccessItem", to: "false")
      let mended = try desk.doctor()
      try mended.expect("keyring", "ok", saying: "unlocked")
      try mended.expect("keyring round trip", "ok")
    }
  }

  @Test(.enabled(if: KWallet.isExpected)) func `knows KWallet`() throws {
    try Desk.with(KWallet().provider) { desk in
      let report = try desk.doctor()
      try report.expect("Secret Service", "ok", saying: "KWallet")
      try report.expect("keyring round trip", "ok")
    }
  }
}
