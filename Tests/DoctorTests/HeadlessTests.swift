import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// The recipes of coder-cred(1), MACHINES WITHOUT A DESKTOP, done.
@Suite(.blocking) struct `A machine without a desktop` {
  /// What `doctor` says to do, with its two words filled in.
  private func recipe(_ desk: Desk, command: String) throws -> String {
    let report = try desk.doctor(environment: ["DBUS_SESSION_BUS_ADDRESS": ""])
    let fixes = report.lines.compactMap(\.fix).flatMap { $0.split(separator: "\n") }
    let line = try #require(fixes.first { $0.hasPrefix("dbus-run-session") }, "\(fixes)")
    return String(line).replacing(
      "PASSWORD-FILE", with: "\(desk.directory)/keyring-password"
    ).replacing("COMMAND", with: command)
  }

  @Test func `has a keyring for one command by doctor's recipe, and the same one the next time`()
    throws
  {
    try Desk.with(.withoutBus) { desk in
      try desk.write("a password", to: "\(desk.directory)/keyring-password")
      var environment = try desk.path(desk.install()).merging(desk.browser()) { $1 }
      environment["DBUS_SESSION_BUS_ADDRESS"] = ""
      let login = try desk.run(
        "/bin/sh", ["-c", try recipe(desk, command: "coder-cred login \(desk.url)")],
        environment: environment)
      #expect(login.status == 0 && login.stderr.contains("Signed in"), "\(login.stderr)")
      let token = try desk.run(
        "/bin/sh", ["-c", try recipe(desk, command: "coder-cred token")], environment: environment)
      #expect(token.status == 0, "\(token.stderr)")
      #expect(desk.deployment.isValid(accessToken: token.lines.last ?? ""))
      let report = try desk.run(
        "/bin/sh", ["-c", try recipe(desk, command: "coder-cred doctor")], environment: environment)
      #expect(report.stdout.contains("ok        keyring: unlocked"), "\(report.stdout)")

      // Another password opens nothing, and destroys nothing.
      try desk.write("another password", to: "\(desk.directory)/keyring-password")
      let locked = try desk.run(
        "/bin/sh", ["-c", try recipe(desk, command: "coder-cred token \(desk.url)")],
        environment: environment)
      #expect(locked.status == 69, "\(locked.stderr)")
      try desk.write("a password", to: "\(desk.directory)/keyring-password")
      let again = try desk.run(
        "/bin/sh", ["-c", try recipe(desk, command: "coder-cred token")], environment: environment)
      #expect(again.status == 0, "\(again.stderr)")
    }
  }

  @Test func `has one for a service, whose password is a credential of systemd`() throws {
    try Desk.with(.withoutBus) { desk in
      let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../man/coder-cred.1").standardized
      let manual = try String(contentsOf: page, encoding: .utf8)
      let start = try #require(manual.range(of: "[Service]\n"))
      let end = try #require(manual[start.lowerBound...].range(of: "\n.Ed"))
      let unit = manual[start.lowerBound..<end.lowerBound].replacing("\\e", with: "\\")
        .replacing("exec COMMAND", with: "exec coder-cred doctor")
      let path = "\(desk.directory)/headless.service"
      try desk.write(unit + "\n", to: path)
      let verified = try desk.desktop.run("systemd-analyze", ["verify", path])
      #expect(verified.status == 0 && verified.stderr.isEmpty, "\(verified.stderr)")

      // What systemd runs, with the directory that it makes for credentials.
      let credentials = "\(desk.directory)/credentials"
      try desk.write("a password", to: "\(credentials)/keyring")
      let command = try #require(
        unit.split(separator: "\n").first { $0.hasPrefix("ExecStart=") }?
          .dropFirst("ExecStart=".count))
      let result = try desk.run(
        "/bin/sh", ["-c", String(command)],
        environment: desk.path(desk.install()).merging([
          "CREDENTIALS_DIRECTORY": credentials, "DBUS_SESSION_BUS_ADDRESS": "",
        ]) { $1 })
      #expect(result.stdout.contains("ok        keyring: unlocked"), "\(result.stdout)")
      #expect(result.stdout.contains("ok        keyring round trip: "), "\(result.stdout)")
    }
  }

  @Test func `has its locked keyring opened by hand, as after a log-in by key`() throws {
    try Desk.with(.locked) { desk in
      try desk.doctor().expect("keyring", "failure", saying: "locked")
      let password = "\(desk.directory)/keyring-password"
      try desk.write(desk.desktop.password, to: password)
      let daemon = try desk.desktop.start(
        "/bin/sh",
        [
          "-c",
          "exec gnome-keyring-daemon --foreground --replace --unlock --components=secrets <\"$0\"",
          password,
        ])
      waitFor("the keyring's unlocking") {
        (try? desk.doctor()["keyring"].first?.status) == "ok"
      }
      try desk.doctor().expect("keyring round trip", "ok")
      desk.desktop.end(daemon)
    }
  }
}
