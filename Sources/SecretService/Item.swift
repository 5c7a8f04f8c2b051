/// One entry of the Secret Service, as it was when it was searched for; its secret is not read yet.
public struct Item: Sendable, Hashable {
  /// All the item's attributes but `xdg:schema`: the ones asked for and possibly further ones.
  ///
  /// A gnome-keyring that was never unlocked knows only hashes; a locked item then shows the asked
  /// attributes alone, although it may have more.
  public let attributes: Attributes
  /// What kind of item it says it is (`xdg:schema`): ``SecretService/schema`` for what we stored.
  ///
  /// A gnome-keyring that was never unlocked does not know it, and any program can claim it.
  public let schema: String?
  /// What key managers such as Seahorse show; empty while the service does not know it.
  public let label: String
  /// Whether reading the secret needs an unlock first.
  public let isLocked: Bool
  /// When the item was last changed, in seconds since 1970; 0 while the service does not know it.
  public let modified: Int

  /// The object's path on the bus: good for this session of the service only.
  let path: String
}

/// What stands behind the alias `default`.
public enum CollectionState: Sendable, Hashable {
  /// There is no default collection: nothing can be stored until the user makes one.
  case absent
  /// It is there, and reading or writing it needs an unlock first.
  case locked
  /// It can be read and written.
  case unlocked
}
