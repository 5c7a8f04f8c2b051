import FoundationEssentials
import Glibc
import Notifications
import Testing

/// Which buses a notification is shown on.
@Suite(.timeLimit(.minutes(1))) struct BusAddressTests {
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

  /// Starts a real bus that lets everybody in, and ends it after the body.
  private func withBus(asUser user: UInt32, _ body: (String) throws -> Void) throws {
    let name = "coder-cred-notifications-\(UUID().uuidString)"
    let address = "unix:abstract=\(name)"
    let configuration = """
      <busconfig>
        <type>session</type>
        <listen>\(address)</listen>
        <auth>EXTERNAL</auth>
        <policy context="default">
          <allow user="*"/>
          <allow send_destination="*" eavesdrop="true"/>
          <allow eavesdrop="true"/>
        </policy>
      </busconfig>
      """
    let file = "/tmp/\(name).conf"
    try Data(configuration.utf8).write(to: URL(filePath: file))
    defer { unlink(file) }
    let command =
      "setpriv --reuid=\(user) --regid=\(user) --clear-groups dbus-daemon --fork --print-pid"
      + " --config-file=\(file) 2>&1"
    let output = try #require(popen(command, "r"))
    var line = [CChar](repeating: 0, count: 256)
    let isRead = fgets(&line, Int32(line.count), output) != nil
    pclose(output)
    let pid = pid_t(atoi(line))
    try #require(isRead && pid > 1)
    defer { kill(pid, SIGTERM) }
    try body(address)
  }

  @Test(.enabled(if: geteuid() == 0, "needs root, to run a bus as another user"))
  func `Another user's bus is shown nothing`() throws {
    try withBus(asUser: 65_534) { address in
      for address in [address, "unix:path=/nowhere/bus;\(address)"] {
        #expect(reason(onBus: address) == "the session bus belongs to another user")
      }
    }
    // The same bus of our own is one that nobody shows notifications on.
    try withBus(asUser: geteuid()) { address in
      let words = try #require(reason(onBus: address))
      #expect(words.contains("org.freedesktop.Notifications"), "\(words)")
    }
  }
}
