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

  /// What dbus-daemon lets everybody do who is let in.
  package static let openPolicy = """
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
    """

  /// A configuration of dbus-daemon for a bus at an address; the limits are a session bus's, the
  /// defaults are made for a system bus and far too small.
  package static func busConfiguration(
    _ address: String, policy: String = openPolicy, services: [String] = []
  ) -> String {
    """
    <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
     "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
    <busconfig>
      <type>session</type>
      <listen>\(address)</listen>
      <auth>EXTERNAL</auth>
      \(services.map { "<servicedir>\($0)</servicedir>" }.joined())
      <policy context="default">\(policy)</policy>
      <limit name="max_incoming_bytes">1000000000</limit>
      <limit name="max_outgoing_bytes">1000000000</limit>
      <limit name="max_message_size">1000000000</limit>
      <limit name="max_replies_per_connection">50000</limit>
      <limit name="max_match_rules_per_connection">50000</limit>
    </busconfig>
    """
  }

  /// Starts dbus-daemon as the desktop's bus, which has none yet.
  package func startBus(policy: String = openPolicy, activation: String? = nil) throws {
    let configuration = Self.busConfiguration(
      busAddress, policy: policy, services: [services] + [activation].compactMap(\.self))
    let file = "\(directory)/bus.conf"
    try Data(configuration.utf8).write(to: URL(fileURLWithPath: file))
    try waitForBus(start("dbus-daemon", ["--config-file=\(file)", "--nofork", "--nosyslog"]))
  }

  /// Starts dbus-broker as the desktop's bus; it starts no services.
  func startBroker() throws {
    try waitForBus(start("/usr/bin/python3", ["-c", Self.brokerLauncher, "\(directory)/bus"]))
  }

  private func waitForBus(_ bus: ChildProcess) throws {
    // The socket is there before anybody listens on it.
    try waitUntilReady("the bus", bus) {
      Self.isListening("\(directory)/bus")
    }
  }

  /// Does what dbus-broker-launch does, which works under systemd alone: gives the broker a socket to
  /// listen at, and a policy that allows everything. The broker ends with it.
  private static let brokerLauncher = """
    import socket, subprocess, sys
    from gi.repository import Gio, GLib

    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.setblocking(False)
    listener.bind(sys.argv[1])
    listener.listen(128)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    theirs.setblocking(False)
    many = '1000000000'
    broker = subprocess.Popen(
        ['dbus-broker', '--controller', str(theirs.fileno()), '--machine-id', '1' * 32,
         '--max-bytes', many, '--max-matches', '1000000', '--max-objects', '1000000'],
        pass_fds=[theirs.fileno()])
    theirs.close()
    stream = Gio.Socket.new_from_fd(ours.detach()).connection_factory_create_connection()
    controller = Gio.DBusConnection.new_sync(
        stream, None, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT, None, None)
    rules = 'bta(btbs)a(btssssuutt)a(btssssuutt)'
    message = (True, 1, '', '', '', '', 0, 0, 0, 2**64 - 1)
    everything = (True, 1, [(True, 1, True, '')], [message], [message])
    policy = GLib.Variant(
        f'(a(u({rules}))a(buu({rules}))a(ss)bs)',
        ([(2**32 - 1, everything)], [], [], False, 'session'))
    sockets = Gio.UnixFDList.new()
    arguments = GLib.Variant(
        '(ohv)', ('/org/bus1/DBus/Listener/0', sockets.append(listener.fileno()), policy))
    controller.call_with_unix_fd_list_sync(
        None, '/org/bus1/DBus/Broker', 'org.bus1.DBus.Broker', 'AddListener', arguments, None,
        Gio.DBusCallFlags.NONE, 10000, sockets, None)
    sys.exit(broker.wait())
    """

  /// What lets only the Secret Service through a proxy, as for a sandbox.
  package static let onlySecrets = ["--filter", "--talk=org.freedesktop.secrets"]

  /// Starts xdg-dbus-proxy before the desktop's bus, and returns its address once it listens there.
  package func startProxy(_ options: [String] = onlySecrets) throws -> String {
    let socket = "\(directory)/proxy"
    let proxy = try start("xdg-dbus-proxy", [busAddress, socket] + options)
    try waitUntilReady("xdg-dbus-proxy", proxy) { Self.isListening(socket) }
    return "unix:path=\(socket)"
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
    _ name: String, _ daemon: ChildProcess, timeoutSeconds: Double = 60, _ isReady: () -> Bool
  ) throws {
    let deadline = Deadline(seconds: timeoutSeconds)
    while !isReady() {
      guard daemon.exit == nil, !deadline.hasPassed else {
        throw Failure("\(name) did not start: \(journal)")
      }
      usleep(3000)
    }
  }

  /// Waits, a minute at most, until somebody owns a name on the bus.
  func waitForName(_ name: String) throws {
    let waited = try run("gdbus", ["wait", "--session", "--timeout", "60", name])
    guard waited.status == 0 else { throw Failure("nobody owns \(name): \(journal)") }
  }

  /// What the desktop's children have written so far.
  package var journal: String {
    (try? String(contentsOfFile: "\(directory)/log", encoding: .utf8)) ?? ""
  }
}

extension PrivateDesktop {
  /// Starts a bus that denies access to the Secret Service, and the service on it.
  package func startDenyingBus() throws {
    try startBus(
      policy: #"<allow send_destination="*"/><allow own="*"/><allow receive_sender="*"/>"#
        + #"<deny send_destination="org.freedesktop.secrets"/>"#)
    _ = try start(
      "gnome-keyring-daemon", ["--foreground", "--components=secrets", "--unlock"],
      input: Array(password.utf8))
  }
}
