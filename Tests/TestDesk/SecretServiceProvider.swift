/// Who serves as the Secret Service on the bus of a ``PrivateDesktop``.
package enum SecretServiceProvider: Sendable {
  /// gnome-keyring with a keyring in some state.
  case gnomeKeyring(GnomeKeyringState)
  /// A ``FakeSecretService`` with these behaviours, that holds these items.
  case fake(Set<FakeSecretService.Behaviour>, [FakeSecretService.Item] = [.standard])
  /// Any other program, such as KeePassXC or KWallet.
  case external(ExternalSecretService)
  /// A bus without a Secret Service.
  case withoutService
  /// Not even a bus.
  case withoutBus

  /// What gnome-keyring starts with.
  package enum GnomeKeyringState: Sendable, CaseIterable {
    /// An encrypted login keyring, unlocked.
    case unlocked
    /// The same, in a daemon that was never given the password.
    case locked
    /// A keyring without a password, as users who log in automatically have: a text file.
    case plaintext
    /// A daemon without any keyring.
    case withoutCollection
  }

  /// gnome-keyring with an encrypted login keyring, unlocked.
  package static var unlocked: Self { .gnomeKeyring(.unlocked) }
  /// gnome-keyring that was never given the password of its keyring.
  package static var locked: Self { .gnomeKeyring(.locked) }
  /// gnome-keyring with a keyring that has no password.
  package static var plaintext: Self { .gnomeKeyring(.plaintext) }
  /// gnome-keyring without any keyring.
  package static var withoutCollection: Self { .gnomeKeyring(.withoutCollection) }
}

/// A program that serves as the Secret Service, and how to start it.
package struct ExternalSecretService: Sendable {
  /// For error messages.
  let name: String
  /// Writes the program's files into the desktop's directories, starts it with
  /// ``PrivateDesktop/start(_:_:input:environment:log:)``, and returns it.
  let start: @Sendable (PrivateDesktop) throws -> ChildProcess
  /// Whether it can be used; asked again and again until it can, for 30 seconds at most.
  let isReady: @Sendable (PrivateDesktop) -> Bool

  /// A program that is ready as soon as there is a default collection, unless `isReady` says more.
  package init(
    _ name: String,
    isReady: @escaping @Sendable (PrivateDesktop) -> Bool = { desktop in
      (try? desktop.defaultCollection()).map { $0 != "/" } ?? false
    },
    start: @escaping @Sendable (PrivateDesktop) throws -> ChildProcess
  ) {
    (self.name, self.isReady, self.start) = (name, isReady, start)
  }
}
