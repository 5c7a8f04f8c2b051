import Foundation
import SecretService
import Secrets
import TestDesk
import Testing

@Suite struct `When something is missing` {
  @Test func `Without an address and without a socket in the runtime directory there is no bus`()
    async
  {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.withoutBus)
      desktop.enter()
      for address in [nil, "", "autolaunch:", "autolaunch:scope=install-path"] {
        if let address {
          setenv("DBUS_SESSION_BUS_ADDRESS", address, 1)
        } else {
          unsetenv("DBUS_SESSION_BUS_ADDRESS")
        }
        #expect(failure { try SecretService() } == .noBus)
      }
    }
  }

  @Test func `A display is no reason to start a bus`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.withoutBus)
      desktop.enter()
      // Whoever starts a bus for a display is called dbus-launch, and leaves a note.
      let note = "\(desktop.directory)/launched"
      let launcher = "\(desktop.directory)/dbus-launch"
      try Data("#!/bin/sh\necho >\(note)\n".utf8).write(to: URL(fileURLWithPath: launcher))
      chmod(launcher, 0o755)
      setenv("PATH", "\(desktop.directory):/usr/bin:/bin", 1)
      setenv("DISPLAY", ":0", 1)
      for address in ["", "autolaunch:", "autolaunch:;autolaunch:"] {
        setenv("DBUS_SESSION_BUS_ADDRESS", address, 1)
        #expect(failure { try SecretService() } == .noBus)
      }
      #expect(!FileManager.default.fileExists(atPath: note))
    }
  }

  // Exit tests take values from Swift 6.3 on.
  #if compiler(>=6.3)
    @Test(arguments: ["nonsense", "unix:path=/nonexistent/bus", "tcp:host=127.0.0.1,port=1"])
    func `An address that leads nowhere is told, with the bus that lives beside it`(
      _ address: String
    ) async {
      await #expect(processExitsWith: .success) { [address = address as String] in
        let desktop = try PrivateDesktop(.unlocked)
        desktop.enter()
        setenv("DBUS_SESSION_BUS_ADDRESS", address, 1)
        guard case .busUnreachable(address, _, live: nil) = failure({ try SecretService() }) else {
          return #expect(Bool(false), "no bus is beside it")
        }
        let usual = "\(desktop.environment["XDG_RUNTIME_DIR"] ?? "")/bus"
        symlink("\(desktop.directory)/bus", usual)
        guard case .busUnreachable(address, _, let live) = failure({ try SecretService() }) else {
          return #expect(Bool(false), "not unreachable")
        }
        #expect(live == "unix:path=\(usual)")
      }
    }

    @Test(arguments: ["", "unset"])
    func `An address that is empty or unset means the socket in the runtime directory`(
      _ address: String
    ) async {
      await #expect(processExitsWith: .success) { [address = address as String] in
        let desktop = try PrivateDesktop(.unlocked)
        desktop.enter()
        symlink("\(desktop.directory)/bus", "\(desktop.environment["XDG_RUNTIME_DIR"] ?? "")/bus")
        setenv("DBUS_SESSION_BUS_ADDRESS", "", 1)
        if address == "unset" { unsetenv("DBUS_SESSION_BUS_ADDRESS") }
        #expect(try SecretService().defaultCollectionState() == .unlocked)
      }
    }
  #endif

  @Test func `A bus without a Secret Service is no service`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.withoutService)
      let taken = seconds {
        guard case .noService = failure({ try desktop.service() }) else {
          return #expect(Bool(false), "it is another failure")
        }
      }
      #expect(taken < 15)
    }
  }

  @Test func `The bus starts a service it knows`() async {
    await #expect(processExitsWith: .success) {
      let services = try temporaryDirectory()
      defer { try? FileManager.default.removeItem(atPath: services) }
      let entry = """
        [D-BUS Service]
        Name=org.freedesktop.secrets
        Exec=/usr/bin/gnome-keyring-daemon --start --foreground --components=secrets
        """
      try Data(entry.utf8).write(to: URL(fileURLWithPath: "\(services)/secrets.service"))
      let desktop = try PrivateDesktop(.withoutService, activation: services)
      #expect(try desktop.service().defaultCollectionState() == .absent)
    }
  }

  // Exit tests take values from Swift 6.3 on.
  #if compiler(>=6.3)
    @Test(
      .enabled(if: OtherUser.isAvailable, OtherUser.reason),
      arguments: ["abstract", "path", "path that turns us away"])
    func `A bus of another user is not talked to`(_ kind: String) async {
      await #expect(processExitsWith: .success) { [kind = kind as String] in
        let desktop = try PrivateDesktop(.withoutBus)
        desktop.enter()
        let folder = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        chmod(folder, 0o777)
        let address =
          kind == "abstract" ? "unix:abstract=\(folder)/bus" : "unix:path=\(folder)/bus"
        let rest =
          kind == "path that turns us away"
          ? "" : #"<allow user="*"/><allow send_destination="*"/><allow own="*"/>"#
        let file = "\(folder)/bus.conf"
        try Data(PrivateDesktop.busConfiguration(address, policy: rest).utf8).write(
          to: URL(fileURLWithPath: file))
        _ = try desktop.startAsOtherUser(
          "dbus-daemon", ["--config-file=\(file)", "--nofork", "--nopidfile"])
        setenv("DBUS_SESSION_BUS_ADDRESS", address, 1)
        waitFor("the other user's bus") {
          failure { try SecretService() } == .foreignBus(user: OtherUser.id)
        }
      }
    }
  #endif

  @Test func `A bus that forbids to call the service denies access`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.withoutBus)
      desktop.enter()
      try desktop.startDenyingBus()
      waitFor("a denial") {
        if case .accessDenied = failure({ try SecretService().search(ours) }) {
          true
        } else {
          false
        }
      }
    }
  }

  @Test func `Without a default collection that is what every operation says`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.withoutCollection)
      let service = try desktop.service(prompts: .ask(timeoutSeconds: 5))
      #expect(try service.defaultCollectionState() == .absent)
      #expect(failure { try service.search(ours) } == .noDefaultCollection)
      let error = failure { try service.store(Secret("t"), label: "l", attributes: ours) }
      #expect(error == .noDefaultCollection)
      #expect(failure { try service.unlock() } == .noDefaultCollection)
    }
  }

  @Test func `A bus that accepts and never replies is timed out`() async {
    await #expect(processExitsWith: .success) {
      let directory = try temporaryDirectory()
      defer { try? FileManager.default.removeItem(atPath: directory) }
      let listener = try silentSocket("\(directory)/bus")
      defer { close(listener) }
      setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=\(directory)/bus", 1)
      let taken = seconds {
        #expect(failure { try SecretService(timeoutSeconds: 1) } == .timedOut)
      }
      #expect(taken < 20)
    }
  }

  @Test func `A daemon that was killed is gone, and its successor is found with all items`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("t"), label: "l", attributes: sessionAttributes())
      let item = try #require(try service.search(ours).first)
      desktop.stopKeyring()
      expectGone(service, item)
      try desktop.restartKeyring()
      // The item is searched for again: the successor may call another one by its path.
      #expect(try service.secret(of: item) == Secret("t"))
      try service.write(Secret("u"), label: "l", to: item)
      #expect(try service.secrets(of: [item]) == [.success(Secret("u"))])
      try service.delete(item)
      #expect(failure { try service.secret(of: item) } == .noSuchItem)
    }
  }

  @Test func `A name on the bus stays ours while another daemon takes the service over`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      let name = "io.github.coder_cred.Test"
      #expect(try service.claimName(name) == .owned)
      try desktop.restartKeyring()
      _ = try service.search(ours)
      let asked = try desktop.run(
        "gdbus",
        [
          "call", "--session", "--dest", "org.freedesktop.DBus", "--object-path",
          "/org/freedesktop/DBus", "--method", "org.freedesktop.DBus.NameHasOwner", name,
        ])
      #expect(asked.stdout == "(true,)\n")
    }
  }

  @Test func `The bus going away ends the connection, not the process`() async {
    await #expect(processExitsWith: .success) {
      let desktop = try PrivateDesktop(.unlocked)
      let service = try desktop.service()
      try service.store(Secret("t"), label: "l", attributes: sessionAttributes())
      let item = try #require(try service.search(ours).first)
      desktop.tearDown()
      expectGone(service, item)
    }
  }
}

private func expectGone(_ service: SecretService, _ item: Item) {
  #expect(isGone(failure { try service.search(ours) }))
  #expect(isGone(failure { try service.secret(of: item) }))
  #expect(isGone(failure { try service.secrets(of: [item]) }))
  #expect(isGone(failure { try service.store(Secret("x"), label: "x", attributes: ours) }))
  #expect(isGone(failure { try service.write(Secret("x"), label: "x", to: item) }))
  #expect(isGone(failure { try service.delete(item) }))
  #expect(isGone(failure { try service.unlock() }))
  #expect(isGone(failure { try service.defaultCollectionState() }))
}

/// A Unix socket whose backlog takes connections that nobody ever accepts.
private func silentSocket(_ path: String) throws -> Int32 {
  let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
  try #require(descriptor >= 0)
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
  let bound = withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
    }
  }
  try #require(bound == 0 && listen(descriptor, 8) == 0)
  return descriptor
}
