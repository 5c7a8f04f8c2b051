import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `doctor on the settings` {
  @Test func `finds what is wrong with the settings`() throws {
    try Desk.with { desk in
      try desk.doctor().expect("settings", "ok", saying: "none")
      try desk.configure("nonsense")
      let broken = try desk.doctor()
      try broken.expect("settings", "failure", saying: "line 2: ")
      #expect(broken.result.status == 64)
      try desk.configure("refresh-marign=5")
      let typo = try desk.doctor().expect(
        "settings", "warning", saying: "do you mean refresh-margin?")
      #expect(typo.fix == "coder-cred config unset refresh-marign")
      let fix = try desk.run(
        "/bin/sh", ["-c", typo.fix ?? ""], environment: desk.path(desk.install()))
      #expect(fix.status == 0, "\(fix.stderr)")
      try desk.doctor().expect("settings", "ok")
      try desk.write("[https://dev.example.com]\nrefresh-margin=x\n", to: desk.configuration)
      try desk.doctor().expect(
        "settings", "failure",
        fix: "coder-cred config unset --url https://dev.example.com refresh-margin")
      try desk.configure("refresh-margin=soon")
      try desk.doctor().expect("settings", "failure", saying: "takes a number")
      try desk.configure("ca-file=/nowhere/ca.pem")
      try desk.doctor().expect(
        "settings", "failure", saying: "/nowhere/ca.pem cannot be read",
        fix: "coder-cred config unset ca-file")
      expectSilence(try desk.run(["config", "unset", "ca-file"]))
      try desk.doctor().expect("settings", "ok")
      expectSilence(try desk.run(["config", "set", "refresh-margin", "5"]))
      try desk.doctor().expect("settings", "ok", saying: "1 in ")
    }
  }

  @Test func `closes a settings file that others may write to, once asked`() throws {
    try Desk.with { desk in
      try desk.configure("refresh-margin=5")
      chmod(desk.configuration, 0o666)
      let open = try desk.doctor().expect("settings", "failure", saying: "other users may write")
      #expect(open.isRepairable)
      try desk.repair("Let nobody else write to ")
      try desk.doctor().expect("settings", "ok", saying: "1 in ")
      let manners = try FileManager.default.attributesOfItem(atPath: desk.configuration)
      #expect(manners[.posixPermissions] as? Int == 0o644)
    }
  }

  @Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))
  func `finds that the settings belong to another user, until they do not`() throws {
    try Desk.with { desk in
      try desk.configure("refresh-margin=5")
      try #require(chown(desk.configuration, OtherUser.id, OtherUser.id) == 0)
      let report = try desk.doctor()
      let line = try report.expect("settings", "failure", saying: "it belongs to another user")
      #expect(!line.isRepairable && report.result.status == 64, "\(line)")
      try #require(chown(desk.configuration, geteuid(), getegid()) == 0)
      try desk.doctor().expect("settings", "ok", saying: "1 in ")
    }
  }
}
