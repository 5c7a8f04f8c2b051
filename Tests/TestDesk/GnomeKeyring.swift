import Foundation
import Glibc

/// The Secret Service of the desktop, and what can happen to it.
extension PrivateDesktop {
  private static let service = "org.freedesktop.secrets"
  private static let root = "/org/freedesktop/secrets"

  func startProvider() throws {
    switch provider {
    case .gnomeKeyring(.unlocked):
      try startKeyring(unlock: true)
    case .gnomeKeyring(.locked):
      try startKeyring(unlock: true)
      try restartKeyring(unlock: false)
    case .gnomeKeyring(.plaintext):
      try writePlaintextKeyring()
      try startKeyring(unlock: false)
    case .gnomeKeyring(.withoutCollection):
      try startKeyring(unlock: false)
    case .fake(let behaviours, let items):
      secretService = try FakeSecretService.start(on: self, behaviours, items)
    case .external(let external):
      let daemon = try external.start(self)
      secretService = daemon
      try waitUntilReady(external.name, daemon) { external.isReady(self) }
    case .withoutService, .withoutBus:
      break
    }
  }

  private var startsUnlocked: Bool {
    if case .gnomeKeyring(.unlocked) = provider { true } else { false }
  }

  /// Kills gnome-keyring, as a crash would, and starts it again over the same files.
  ///
  /// The new one is given the password if `unlock` is true; if false, it is as locked as after a
  /// login that did not go through PAM; by default it is as the desktop began.
  package func restartKeyring(unlock: Bool? = nil) throws {
    stopKeyring()
    try startKeyring(unlock: unlock ?? startsUnlocked)
  }

  /// Kills the daemon; there is none until ``restartKeyring(unlock:)``.
  package func stopKeyring() {
    guard let secretService else { return }
    secretService.terminate(signal: SIGKILL)
    end(secretService)
    self.secretService = nil
  }

  private func startKeyring(unlock: Bool) throws {
    // Once in a thousand times it aborts at the first question, by an assertion of its own.
    for attemptsLeft in [2, 1, 0] {
      let daemon = try start(
        "gnome-keyring-daemon",
        ["--foreground", "--components=secrets"] + (unlock ? ["--unlock"] : []),
        input: unlock ? Array(password.utf8) : [])
      secretService = daemon
      do {
        return try waitUntilReady("gnome-keyring-daemon", daemon) { isReady(unlocked: unlock) }
      } catch  where daemon.exit != nil && attemptsLeft > 0 {
        end(daemon)
      }
    }
  }

  /// Whether the daemon replies and, if it was given the password, has opened the keyring.
  private func isReady(unlocked: Bool) -> Bool {
    guard let path = try? defaultCollection() else { return false }
    guard unlocked else { return true }
    let locked = try? call(
      "org.freedesktop.DBus.Properties.Get", ["org.freedesktop.Secret.Collection", "Locked"],
      path: path)
    return locked?.contains("false") ?? false
  }

  private func writePlaintextKeyring() throws {
    try FileManager.default.createDirectory(
      atPath: keyrings, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let keyring = """
      [keyring]
      display-name=Default keyring
      ctime=1700000000
      mtime=0
      lock-on-idle=false
      lock-after=false

      """
    try Data(keyring.utf8).write(to: URL(fileURLWithPath: "\(keyrings)/Default_keyring.keyring"))
    try Data("Default_keyring".utf8).write(to: URL(fileURLWithPath: "\(keyrings)/default"))
  }

  /// The path behind the alias `default`; `/` when there is none.
  package func defaultCollection() throws -> String {
    let reply = try call("org.freedesktop.Secret.Service.ReadAlias", ["default"])
    guard let start = reply.range(of: "objectpath '"),
      let path = reply[start.upperBound...].split(separator: "'").first
    else { throw Failure("no path: \(reply)") }
    return String(path)
  }

  /// Calls a method of the Secret Service with arguments in GVariant's text format.
  @discardableResult
  package func call(_ method: String, _ arguments: [String], path: String? = nil) throws -> String {
    let result = try run(
      "gdbus",
      ["call", "--session", "--dest", Self.service, "--object-path", path ?? Self.root, "--method"]
        + [method] + arguments)
    guard result.status == 0 else { throw Failure("\(method): \(result.stderr)") }
    return result.stdout
  }
}

/// Collections of gnome-keyring, and what stands in them.
extension PrivateDesktop {
  /// Locks a collection, by default the default one, as the user would in Seahorse. The daemon still
  /// knows everything.
  package func lock(_ collection: String? = nil) throws {
    let path = try collection ?? defaultCollection()
    try call("org.freedesktop.Secret.Service.Lock", ["[objectpath '\(path)']"])
  }

  /// Unlocks a collection, by default the default one, with the password, without any prompt.
  package func unlock(_ collection: String? = nil) throws {
    let result = try run(
      "/usr/bin/python3", ["-c", Self.unlocker, try collection ?? defaultCollection()],
      input: Array(password.utf8))
    guard result.status == 0 else { throw Failure("unlock: \(result.stderr)") }
  }

  /// A D-Bus session lives as long as the connection that opened it: two `gdbus call`s do not do.
  private static let unlocker =
    preamble + """
      password = dbus.ByteArray(sys.stdin.buffer.read())
      service.UnlockWithMasterPassword(
          dbus.ObjectPath(sys.argv[1]),
          dbus.Struct((session, dbus.ByteArray(b''), password, 'text/plain'), signature='oayays'),
          dbus_interface='org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface')
      """

  /// Makes another collection with the desktop's password, and returns its path.
  package func makeCollection(_ label: String, isDefault: Bool = false) throws -> String {
    let result = try run(
      "/usr/bin/python3", ["-c", Self.collectionMaker, label], input: Array(password.utf8))
    guard result.status == 0 else { throw Failure("making a collection: \(result.stderr)") }
    let path = result.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
    if isDefault {
      try call("org.freedesktop.Secret.Service.SetAlias", ["default", "objectpath '\(path)'"])
    }
    return path
  }

  /// Gives the default collection, which has no password, the desktop's, as Seahorse does.
  package func setPassword() throws {
    let result = try run(
      "/usr/bin/python3", ["-c", Self.passwordSetter, try defaultCollection()],
      input: Array(password.utf8))
    guard result.status == 0 else { throw Failure("setting a password: \(result.stderr)") }
  }

  private static let passwordSetter =
    preamble + """
      password = dbus.ByteArray(sys.stdin.buffer.read())
      def secret(value):
          return dbus.Struct((session, dbus.ByteArray(b''), value, 'text/plain'), signature='oayays')
      service.ChangeWithMasterPassword(
          dbus.ObjectPath(sys.argv[1]), secret(dbus.ByteArray(b'')), secret(password),
          dbus_interface='org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface')
      """

  /// Puts the item with a label into another collection.
  package func move(_ label: String, to collection: String) throws {
    let result = try run("/usr/bin/python3", ["-c", Self.mover, label, collection])
    guard result.status == 0 else { throw Failure("moving an item: \(result.stderr)") }
  }

  private static let preamble = """
    import dbus, sys
    S = 'org.freedesktop.Secret.'
    bus = dbus.SessionBus()
    def at(path): return bus.get_object('org.freedesktop.secrets', path)
    service = at('/org/freedesktop/secrets')
    _, session = service.OpenSession('plain', '', dbus_interface=S + 'Service')

    """

  private static let collectionMaker =
    preamble + """
      password = dbus.ByteArray(sys.stdin.buffer.read())
      print(service.CreateWithMasterPassword(
          dbus.Dictionary({S + 'Collection.Label': sys.argv[1]}, signature='sv'),
          dbus.Struct((session, dbus.ByteArray(b''), password, 'text/plain'), signature='oayays'),
          dbus_interface='org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface'))
      """

  private static let mover =
    preamble + """
      found, _ = service.SearchItems({'application': 'coder-cred'}, dbus_interface=S + 'Service')
      for path in found:
          item = at(path)
          get = lambda name: item.Get(S + 'Item', name,
                                      dbus_interface='org.freedesktop.DBus.Properties')
          if get('Label') != sys.argv[1]: continue
          secret = item.GetSecret(session, dbus_interface=S + 'Item')
          at(sys.argv[2]).CreateItem(
              dbus.Dictionary({S + 'Item.Label': get('Label'),
                               S + 'Item.Attributes': get('Attributes')}, signature='sv'),
              secret, False, dbus_interface=S + 'Collection')
          item.Delete(dbus_interface=S + 'Item')
      """
}
