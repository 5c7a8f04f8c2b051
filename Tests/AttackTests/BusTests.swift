import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A session bus at an address that another user has taken, with a Secret Service on it.
private struct ForeignBus {
  let address: String
  private let directory: String
  private let desk: Desk

  init(_ desk: Desk) throws {
    self.desk = desk
    directory = "\(desk.directory)/foreign"
    address = "unix:path=\(directory)/bus"
    try FileManager.default.createDirectory(
      atPath: "\(directory)/run", withIntermediateDirectories: true)
    try desk.desktop.admitOtherUser(to: directory)
    try desk.desktop.admitOtherUser(to: "\(directory)/run")
    try desk.write(
      """
      <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
       "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
      <busconfig>
        <type>session</type><listen>\(address)</listen><auth>EXTERNAL</auth>
        <policy context="default">
          <allow user="*"/><allow send_destination="*" eavesdrop="true"/>
          <allow eavesdrop="true"/><allow own="*"/>
        </policy>
      </busconfig>
      """, to: "\(directory)/bus.conf")
    chmod("\(directory)/bus.conf", 0o644)
    _ = try desk.desktop.startAsOtherUser(
      "dbus-daemon", ["--config-file=\(directory)/bus.conf", "--nofork", "--nosyslog"])
    waitFor("the foreign bus") { access("\(directory)/bus", F_OK) == 0 }
    chmod("\(directory)/bus", 0o777)
    _ = try desk.desktop.startAsOtherUser(
      "/bin/sh",
      [
        "-c",
        "echo password | exec gnome-keyring-daemon --foreground --components=secrets --unlock",
      ],
      environment: environment)
    try #require(
      eventually { try run("gdbus", ["wait", "--session", "--timeout", "5", Self.name]) == 0 })
    try #require(try labels() == [])
  }

  private static let name = "org.freedesktop.secrets"
  private var environment: [String: String] {
    [
      "DBUS_SESSION_BUS_ADDRESS": address, "HOME": "\(directory)/run",
      "XDG_RUNTIME_DIR": "\(directory)/run", "XDG_DATA_HOME": "\(directory)/run",
    ]
  }

  private func run(_ program: String, _ arguments: [String]) throws -> Int32 {
    try desk.desktop.runAsOtherUser(program, arguments, environment: environment).status
  }

  /// The labels of what the other user was given.
  func labels() throws -> [String] {
    let found = try desk.desktop.runAsOtherUser(
      "secret-tool", ["search", "--all", "application", "coder-cred"], environment: environment)
    return found.lines.filter { $0.hasPrefix("label = ") }
  }
}

@Suite(.blocking, .enabled(if: OtherUser.isAvailable, OtherUser.reason))
struct `A session bus that another user has taken` {
  @Test(arguments: [[:], ["CODER_CRED_ENGINE": "1"]])
  func `is given nothing, and nothing is taken from it`(program: [String: String]) throws {
    try Desk.withSession { desk in
      let foreign = try ForeignBus(desk)
      var environment = program
      environment["DBUS_SESSION_BUS_ADDRESS"] = foreign.address
      let stored = desk.request("username=alice", "password=\(desk.plant())")
      for (arguments, input) in [
        (["store"], stored), (["get"], desk.request()), (["token", desk.url], ""),
        (["header", desk.url], ""), (["list"], ""), (["logout", desk.url], ""),
        (["refresh", desk.url], ""), (["api", "/api/v2/users/me", "--url", desk.url], ""),
      ] {
        let result = try desk.run(arguments, input: input, environment: environment)
        #expect(result.status == 69 && result.output.isEmpty, "\(arguments): \(result.stderr)")
      }
      try desk.login(environment: environment, status: 69)
      #expect(try foreign.labels() == [])
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test(arguments: ["missing", "file"])
  func `or that is no bus at all is an error, and not another bus in its place`(
    kind: String
  ) throws {
    try Desk.withSession { desk in
      let path = "\(desk.directory)/no-bus"
      if kind == "file" { try desk.write("", to: path) }
      for program in [[:], ["CODER_CRED_ENGINE": "1"]] {
        let result = try desk.run(
          ["token", desk.url],
          environment: program.merging(["DBUS_SESSION_BUS_ADDRESS": "unix:path=\(path)"]) { $1 })
        #expect(result.status == 69, "\(result.stderr)")
      }
    }
  }
}
