import FoundationEssentials
import Notifications
import TestDesk
import Testing

/// Which buses a notification is shown on.
@Suite(.timeLimit(.minutes(5))) struct BusAddressTests {
  private func reason(onBus address: String) -> String? {
    let notification = Notification(summary: "A test", body: "of nobody's")
    do throws(Notification.Unavailable) {
      _ = try notification.show(onBus: address, timeoutSeconds: 0)
      return nil
    } catch {
      return error.reason
    }
  }

  @Test(arguments: [
    "", ";", "autolaunch:", "autolaunch:scope=*user", "unix:path=/nowhere/bus;autolaunch:",
    "tcp:host=127.0.0.1,port=1", "unixexec:path=/bin/false", "nonce-tcp:host=localhost", "nonsense",
  ])
  func `Only Unix sockets are tried, and no bus is started`(address: String) {
    #expect(reason(onBus: address) == "there is no session bus at a Unix socket")
  }

  @Test func `A bus that is not there is told in one line`() throws {
    let words = try #require(reason(onBus: "unix:path=/nowhere/bus"))
    #expect(!words.isEmpty && !words.contains("\n"))
  }

  @Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))
  func `Another user's bus is shown nothing`() throws {
    let desktop = try PrivateDesktop(.withoutBus)
    defer { desktop.tearDown() }
    let address = "unix:abstract=\(desktop.directory)/bus"
    let file = "\(desktop.services)/bus.conf"
    let configuration = PrivateDesktop.busConfiguration(
      address, policy: #"<allow user="*"/>"# + PrivateDesktop.openPolicy)
    try Data(configuration.utf8).write(to: URL(filePath: file))
    try desktop.admitOtherUser(to: desktop.services)
    _ = try desktop.startAsOtherUser("dbus-daemon", ["--config-file=\(file)", "--nofork"])
    for address in [address, "unix:path=/nowhere/bus;\(address)"] {
      waitFor("the other user's bus") {
        reason(onBus: address) == "the session bus belongs to another user"
      }
    }
  }

  @Test func `A bus of our own that nobody shows notifications on is told`() throws {
    let desktop = try PrivateDesktop(.withoutService)
    defer { desktop.tearDown() }
    let words = try #require(reason(onBus: desktop.busAddress))
    #expect(words.contains("org.freedesktop.Notifications"), "\(words)")
  }
}
