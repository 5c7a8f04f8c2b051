/// What the programs behind `org.freedesktop.secrets` do that the specification does not say: one
/// line for each, with where it was reported.
///
/// A program is known by another bus name of the same owner, never by guessing. What shows in its
/// behaviour is handled for every service, and listed here all the same.
struct ServiceQuirks: Sendable {
  /// What people call it, for words about its settings; nil for a service that is not known.
  var serviceName: String?
  /// Its search opens a window and waits while everything is locked.
  var searchAsksToUnlock = false
  /// Its search asks nobody, whatever is locked.
  var searchAsksNobody = false
  /// The wallet interface beside it: it says whether a wallet is open, and writes at once when told.
  var wallet: KWallet?

  fileprivate typealias Row = (busName: String, quirks: ServiceQuirks)

  fileprivate static let known: [Row] = [
    ("org.gnome.keyring", ServiceQuirks(serviceName: "gnome-keyring", searchAsksNobody: true)),
    // keepassxc#7989, #4443: "unlock before searching" is its default.
    (
      "org.keepassxc.KeePassXC.MainWindow",
      ServiceQuirks(serviceName: "KeePassXC", searchAsksToUnlock: true)
    ),
    // noctalia#4016: open, but Locked until an Unlock that asks nobody.
    // brave#47374, tutanota#5006: secrets are written seconds after attributes, unless told.
    // secretstorage#48, envchain#9: one key exchange in a hundred fails, also while writing.
    // CreateItem makes the item before it looks for the session, and leaves it empty without one (Writing).
    ("org.kde.kwalletd5", ServiceQuirks(serviceName: "KWallet", wallet: .kwalletd5)),
    ("org.kde.kwalletd6", ServiceQuirks(serviceName: "KWallet", wallet: .kwalletd6)),
    ("org.kde.ksecretd", ServiceQuirks(serviceName: "KWallet", wallet: .ksecretd)),
  ]

  // Seen in behaviour, and handled for whoever does it:
  // secretstorage#39, keepassxc#13441: CreateItem and Delete always reply with a prompt (Writing).
  // keepassxc#9334, #7623: items are locked one by one in an open collection (Unlocking).
  // keepassxc#7575: no collections at all, and a search that hangs (Searching).
  // omarchy#12563, keyring#514: no default alias (Searching).
  // grimsteel/pass-secret-service#10: `replace` is ignored; nothing here uses it (Writing).
  // oo7#530, hey-cli#352: the session or the service vanishes before a call (SecretService).
  // KeePassXC adds attributes of its own, gnome-keyring shows hashes (Item).
}

extension ServiceQuirks {
  /// The names by which programs are known.
  static var busNames: [String] { known.map(\.busName) }

  /// What is known of the service with a unique bus name, by who owns each of ``busNames``.
  init(of owner: String, among owners: [String?]) {
    self = zip(Self.known, owners).first { $1 == owner }?.0.quirks ?? ServiceQuirks()
  }
}
