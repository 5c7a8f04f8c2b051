import Foundation
import TestDesk
import Testing

/// How sandboxes and containers reach the session's bus.
@Suite(.blocking) struct `The fast path and the bus` {
  static let poison = "echo poisoned; exit 99"
  static let mapsUsers =
    (try? ChildProcess.run("/usr/bin/unshare", ["--user", "true"], environment: [:]))?.status == 0

  @Test(arguments: [[], ["--filter", "--talk=org.freedesktop.secrets"]])
  func `reach each other through the proxy of sandboxes`(options: [String]) throws {
    try Desk.with { desk in
      try desk.store("https://fresh.example")
      let fastPath = try desk.copyFastPath(fullProgram: Self.poison)
      let socket = "\(desk.directory)/proxy"
      let proxy = try desk.desktop.start(
        "xdg-dbus-proxy", [desk.desktop.busAddress, socket] + options)
      defer { desk.desktop.end(proxy) }
      waitFor("the proxy") { access(socket, F_OK) == 0 }
      let result = try desk.call(
        fastPath, .words("token", with: ["DBUS_SESSION_BUS_ADDRESS": "unix:path=\(socket)"]))
      #expect(result.stdout == "\(storedToken)\n", "\(result.stderr)")
    }
  }

  @Test(
    .enabled(if: mapsUsers, "user namespaces are not allowed here"),
    arguments: ["1000", "\(getuid())"])
  func `reach each other from a user namespace, whatever our number is there`(user: String) throws {
    try Desk.with { desk in
      try desk.store("https://fresh.example")
      let fastPath = try desk.copyFastPath(fullProgram: Self.poison)
      let result = try desk.desktop.run(
        "unshare", ["--user", "--map-user=\(user)", fastPath, "token"])
      #expect(result.stdout == "\(storedToken)\n", "\(result.stderr)")
    }
  }

  @Test func `reach each other on dbus-broker`() throws {
    try Desk.with(bus: .broker) { desk in
      try desk.store("https://fresh.example")
      let fastPath = try desk.copyFastPath(fullProgram: Self.poison)
      let result = try desk.call(fastPath, .words("token"))
      #expect(result.stdout == "\(storedToken)\n", "\(result.stderr)")
    }
  }
}
