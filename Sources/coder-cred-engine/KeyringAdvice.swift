/// What opens a keyring, as commands that can be typed or pasted.
enum KeyringAdvice {
  /// Opens gnome-keyring's own keyring with a password that is typed and not shown. The shell hands it
  /// over itself: it is in no program's arguments. Without `--daemonize` the keyring would end with the
  /// terminal.
  static let unlockCommand =
    #"(read -rs p; printf %s "$p" | gnome-keyring-daemon --replace --daemonize --unlock "#
    + "--components=secrets)"

  /// A bus and a keyring for one command.
  static let headlessCommand =
    "dbus-run-session -- sh -c 'gnome-keyring-daemon --unlock --components=secrets "
    + "<PASSWORD-FILE >/dev/null && exec COMMAND'"

  /// How a locked keyring is opened here.
  ///
  /// - Parameters:
  ///   - service: which Secret Service it is; nil where that is not known.
  ///   - environment: tells whether there is a display for the service's window.
  /// - Returns: the rest of a hint.
  static func unlocking(_ service: String?, _ environment: Environment) -> String {
    let general = "unlock it in your keyring application"
    switch service {
    case "KeePassXC": return "unlock the database in the window of KeePassXC"
    case "KWallet": return "open the wallet in KWalletManager"
    // Without a display only gnome-keyring can be opened at all.
    case nil where environment.isDesktop:
      return "\(general); where it shows no window, see coder-cred doctor"
    default: return "\(general); without its window type this, then the password: \(unlockCommand)"
    }
  }
}
