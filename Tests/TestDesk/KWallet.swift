import Foundation

/// KWallet (kwalletd5) as the Secret Service, with a wallet that was opened as PAM does at log-in.
///
/// For the Secret Service such a wallet is locked until somebody unlocks it, which asks nobody.
package struct KWallet: Sendable {
  /// Whether the wallet is open; a closed one takes the desktop's password, in a window.
  var isOpen = true
  /// Whether there is a wallet at all.
  var hasWallet = true
  /// Whether its windows are shown on a display; it runs without one otherwise.
  var hasDisplay = false

  /// Starts it with a wallet in this state.
  package init(isOpen: Bool = true, hasWallet: Bool = true, hasDisplay: Bool = false) {
    (self.isOpen, self.hasWallet, self.hasDisplay) = (isOpen, hasWallet, hasDisplay)
  }

  /// Whether its program is installed, or must be: newer systems have kwalletd6 instead.
  package static var isExpected: Bool {
    FileManager.default.isExecutableFile(atPath: "/usr/bin/kwalletd5")
      || ProcessInfo.processInfo.environment["CI"] != nil
  }

  /// For ``PrivateDesktop``.
  package var provider: SecretServiceProvider {
    .external(
      ExternalSecretService(
        "KWallet",
        isReady: { (try? $0.defaultCollection()).map { $0 != "/" || !hasWallet } ?? false },
        start: { try start(on: $0) }))
  }

  private func start(on desktop: PrivateDesktop) throws -> ChildProcess {
    try Data(Self.settings.utf8).write(
      to: URL(fileURLWithPath: "\(desktop.directory)/config/kwalletrc"))
    let folder = "\(desktop.directory)/data/kwalletd"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(repeating: 0x6b, count: 56).write(
      to: URL(fileURLWithPath: "\(folder)/kdewallet.salt"))
    if hasDisplay { _ = try VirtualDisplay(on: desktop) }
    guard hasWallet else { return try Self.startDaemon(desktop) }
    // The wallet is made by opening it, and becomes a collection when the daemon starts with it.
    let maker = try Self.startDaemon(desktop)
    try Self.open(desktop)
    desktop.end(maker)
    let daemon = try Self.startDaemon(desktop)
    if isOpen { try Self.open(desktop) }
    return daemon
  }

  /// Starts the daemon over the files of one that was killed.
  package static func restart(_ desktop: PrivateDesktop) throws {
    desktop.secretService = try startDaemon(desktop)
    try open(desktop)
  }

  private static func startDaemon(_ desktop: PrivateDesktop) throws -> ChildProcess {
    let daemon = try desktop.start(
      "kwalletd5",
      environment: ["QT_LOGGING_RULES": "*=false"].merging(desktop.qtPlatform) { $1 })
    try desktop.waitForName("org.freedesktop.secrets")
    return daemon
  }

  private static func open(_ desktop: PrivateDesktop) throws {
    let opened = try desktop.run(
      "/usr/bin/python3", ["-c", opener, "\(desktop.directory)/data/kwalletd/kdewallet.salt"],
      input: Array(desktop.password.utf8))
    guard opened.status == 0 else { throw PrivateDesktop.Failure("pamOpen: \(opened.stderr)") }
  }

  /// Hands over the key that kwallet-pam makes of the password.
  private static let opener = """
    import dbus, hashlib, sys
    with open(sys.argv[1], 'rb') as file:
        salt = file.read()
    key = hashlib.pbkdf2_hmac('sha512', sys.stdin.buffer.read(), salt, 50000, 56)
    dbus.SessionBus().get_object('org.kde.kwalletd5', '/modules/kwalletd5').pamOpen(
        'kdewallet', dbus.ByteArray(key), 0, dbus_interface='org.kde.KWallet')
    """

  private static let settings = """
    [Wallet]
    Enabled=true
    First Use=false
    Default Wallet=kdewallet
    Use One Wallet=true
    Close When Idle=false
    Close on Screensaver=false
    Prompt on Open=false
    Launch Manager=false
    [org.freedesktop.secrets]
    apiEnabled=true

    """
}
