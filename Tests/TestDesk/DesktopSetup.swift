import Foundation
import Glibc

/// Setting a desktop up.
extension PrivateDesktop {
  /// A Unix socket's path has at most 107 bytes, and gnome-keyring's lies deeper than the directory.
  static func makeDirectory() throws -> String {
    let temporary = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    let parent = temporary.utf8.count < 40 ? temporary : "/tmp"
    var template = Array(("\(parent)/cc-" + String(repeating: "X", count: 6)).utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure("mkdtemp: \(errno)") }
    let bytes = template.dropLast().map(UInt8.init(bitPattern:))
    let directory = String(decoding: bytes, as: UTF8.self)
    for name in ["home", "data", "config", "cache", "state", "run", "services"] {
      guard mkdir("\(directory)/\(name)", 0o700) == 0 else { throw Failure("mkdir: \(errno)") }
    }
    return directory
  }

  func startBus(activation: String?) throws {
    let services = ([services] + [activation].compactMap(\.self)).map {
      "<servicedir>\($0)</servicedir>"
    }.joined()
    // The limits are the session bus's: the defaults are made for a system bus and far too small.
    let configuration = """
      <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
       "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
      <busconfig>
        <type>session</type>
        <listen>\(busAddress)</listen>
        <auth>EXTERNAL</auth>
        \(services)
        <policy context="default">
          <allow send_destination="*" eavesdrop="true"/>
          <allow eavesdrop="true"/>
          <allow own="*"/>
        </policy>
        <limit name="max_incoming_bytes">1000000000</limit>
        <limit name="max_outgoing_bytes">1000000000</limit>
        <limit name="max_message_size">1000000000</limit>
        <limit name="max_replies_per_connection">50000</limit>
        <limit name="max_match_rules_per_connection">50000</limit>
      </busconfig>
      """
    let file = "\(directory)/bus.conf"
    try Data(configuration.utf8).write(to: URL(fileURLWithPath: file))
    let bus = try start("dbus-daemon", ["--config-file=\(file)", "--nofork", "--nosyslog"])
    // The socket is there before anybody listens on it.
    try waitUntilReady("dbus-daemon", bus, timeoutSeconds: 10) {
      Self.isListening("\(directory)/bus")
    }
  }

  private static func isListening(_ path: String) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    } == 0
  }

  /// Waits for a daemon of the desktop; throws ``Failure`` with the journal when it ends first.
  func waitUntilReady(
    _ name: String, _ daemon: ChildProcess, timeoutSeconds: Double = 20, _ isReady: () -> Bool
  ) throws {
    let deadline = Deadline(seconds: timeoutSeconds)
    while !isReady() {
      guard daemon.exit == nil, !deadline.hasPassed else {
        throw Failure("\(name) did not start: \(journal)")
      }
      usleep(3000)
    }
  }

  /// Waits, 20 seconds at most, until somebody owns a name on the bus.
  func waitForName(_ name: String) throws {
    let waited = try run("gdbus", ["wait", "--session", "--timeout", "20", name])
    guard waited.status == 0 else { throw Failure("nobody owns \(name): \(journal)") }
  }

  /// What the desktop's children have written so far.
  package var journal: String {
    (try? String(contentsOfFile: "\(directory)/log", encoding: .utf8)) ?? ""
  }
}
