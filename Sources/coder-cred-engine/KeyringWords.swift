import SecretService

extension Failure {
  /// Translates why the keyring did not do what it was asked into what a person can do about it.
  init(_ error: SecretServiceError) {
    let (message, hint): (String, String?) =
      switch error {
      case .libraryUnusable(let reason): (reason, "install libsecret 0.18 or later")
      case .noBus:
        (
          "there is no session bus: DBUS_SESSION_BUS_ADDRESS is not set, and there is no socket in "
            + "XDG_RUNTIME_DIR",
          "in cron or over ssh: export XDG_RUNTIME_DIR=/run/user/\(Environment.userID); without a "
            + "desktop: \(KeyringAdvice.headlessCommand)"
        )
      case .busUnreachable(let address, let reason, let live):
        (
          "the session bus at \(address) cannot be reached: \(reason)",
          live.map { "another one is there: export DBUS_SESSION_BUS_ADDRESS=\($0)" }
            ?? "the address may be of a session that has ended: unset DBUS_SESSION_BUS_ADDRESS"
        )
      case .foreignBus(let user):
        (
          "the session bus belongs to " + (user.map { "the user \($0)" } ?? "an unknown user")
            + ", not to you",
          "with sudo leave out -E, or unset DBUS_SESSION_BUS_ADDRESS"
        )
      case .accessDenied(let reason):
        (
          "the session bus denies access to the Secret Service: \(reason)",
          "a sandbox or bus policy must allow to talk to org.freedesktop.secrets"
        )
      case .noService(let reason):
        (
          "no Secret Service runs on the session bus: \(reason)",
          "install gnome-keyring (apt install gnome-keyring) and start gnome-keyring-daemon, or enable "
            + "the Secret Service of KeePassXC or KWallet; coder-cred doctor tells more, and coder-cred(1) "
            + "under MACHINES WITHOUT A DESKTOP"
        )
      case .serviceGone(let reason): ("the Secret Service went away: \(reason)", "try again")
      case .noDefaultCollection:
        (
          "there is no default keyring",
          "make one in your keyring application (Seahorse: File > New > Password Keyring, set as "
            + "default; KWalletManager: File > New Wallet; KeePassXC: Database Settings > Secret Service "
            + "Integration)"
        )
      case .locked(let collection):
        (
          collection.map { "the keyring “\(Terminal.clean($0))” is locked" }
            ?? "the keyring is locked",
          KeyringAdvice.unlocking(nil, .ofThisProcess)
        )
      case .confirmationRequired(let item, let service):
        Self.confirmation(of: Terminal.clean(item), by: service)
      case .dismissed:
        (
          "the keyring's prompt was dismissed, or nothing could show it",
          "unlock the keyring in your keyring application, or type this, then the password: "
            + KeyringAdvice.unlockCommand
        )
      case .promptUnanswered: ("nobody answered the keyring's prompt in time", nil)
      case .timedOut: ("the keyring did not reply in time", nil)
      case .noSuchItem: ("the item is no longer in the keyring", nil)
      case .brokenSession(let reason):
        ("the keyring cannot exchange secrets: \(reason)", "restart the keyring's service")
      case .malformed(let reason), .failed(let reason): ("the keyring failed: \(reason)", nil)
      }
    let isInstalled = if case .libraryUnusable = error { false } else { true }
    self.init(isInstalled ? .unlock : .reportIt, message, hint: hint)
  }

  private static func confirmation(
    of item: String, by service: String?
  ) -> (message: String, hint: String?) {
    guard service == "KeePassXC" else {
      return (
        "the keyring wants a confirmation for “\(item)”", "allow it in your keyring application"
      )
    }
    return (
      "KeePassXC wants a confirmation for “\(item)”",
      "in KeePassXC: Tools > Settings > Secret Service Integration, turn off “Confirm when passwords "
        + "are retrieved by clients”"
    )
  }
}

extension PromptPolicy.Subject {
  /// What a person reads while a window of the keyring waits for them.
  var message: String {
    switch self {
    case .unlocking(let collection):
      "Waiting for you to unlock the keyring “\(Terminal.clean(collection))” …"
    case .releasing(let item):
      "Waiting for you to allow the use of “\(Terminal.clean(item))” …"
    case .changing(let item):
      "Waiting for you to confirm the change of “\(Terminal.clean(item))” …"
    }
  }
}

/// What a person reads of an item whose secret the keyring has lost.
func lossMessage(of label: String) -> String {
  "the keyring has lost what it kept as “\(Terminal.clean(label))”"
}
