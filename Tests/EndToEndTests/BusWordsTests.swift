import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What is said of a session bus that leads to no keyring.
@Suite(.blocking) struct `A bus that leads nowhere` {
  /// Every command says so, with what helps.
  private func expect(
    _ words: String, hint: String, _ desk: Desk, address: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let environment = address.map { ["DBUS_SESSION_BUS_ADDRESS": $0] } ?? [:]
    for arguments in [["token", desk.url], ["get", desk.url], ["list"], ["login", desk.url]] {
      let result = try desk.run(arguments, environment: environment)
      expectFailure(result, 69, saying: words, arguments[0], sourceLocation: sourceLocation)
      #expect(
        result.message("hint")?.contains(hint) == true, "\(result.stderr)",
        sourceLocation: sourceLocation)
    }
    #expect(desk.deployment.requests.isEmpty, sourceLocation: sourceLocation)
  }

  @Test(arguments: ["", "autolaunch:"])
  func `Without a bus there is none, although there is a display`(address: String) throws {
    try Desk.with(.withoutBus) { desk in
      desk.environment["DISPLAY"] = ":77"
      try expect("there is no session bus", hint: "dbus-run-session", desk, address: address)
    }
  }

  @Test func `An address of a session that has ended is told from the bus that is there`() throws {
    try Desk.with { desk in
      let stale = "unix:path=\(desk.directory)/ended"
      try expect(
        "the session bus at \(stale) cannot be reached", hint: "unset DBUS_SESSION_BUS_ADDRESS",
        desk,
        address: stale)
      let live = "\(desk.directory)/run/bus"
      try FileManager.default.createSymbolicLink(
        atPath: live, withDestinationPath: "\(desk.directory)/bus")
      try expect(
        "the session bus at \(stale) cannot be reached",
        hint: "export DBUS_SESSION_BUS_ADDRESS=unix:path=\(live)", desk, address: stale)
      // Empty is as good as unset.
      desk.environment["DBUS_SESSION_BUS_ADDRESS"] = ""
      try desk.login()
      try desk.token()
    }
  }

  @Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))
  func `Another user's bus is told to be theirs`() throws {
    try Desk.with { desk in
      let socket = "\(desk.directory)/theirs"
      try desk.write("", to: socket)
      try #require(chown(socket, OtherUser.id, OtherUser.id) == 0)
      try expect(
        "the session bus belongs to the user \(OtherUser.id), not to you", hint: "sudo", desk,
        address: "unix:path=\(socket)")
    }
  }

  @Test func `A bus that forbids the Secret Service is told to deny access`() throws {
    try Desk.with(.withoutBus) { desk in
      try desk.startDenyingBus()
      try expect(
        "the session bus denies access to the Secret Service", hint: "org.freedesktop.secrets", desk
      )
    }
  }

  @Test func `A bus without a Secret Service is told to have none`() throws {
    try Desk.with(.withoutService) { desk in
      try expect("no Secret Service runs on the session bus", hint: "gnome-keyring-daemon", desk)
    }
  }
}
