internal import CSecret

/// One entry of the Secret Service, as it was when it was searched for; its secret is not read yet.
public struct Item: Sendable, Hashable {
  /// The attributes it was stored with: the ones asked for and possibly further ones.
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
  /// Whether reading the secret needs an unlock or a confirmation first.
  public let isLocked: Bool
  /// When the item was last changed, in seconds since 1970; 0 while the service does not know it.
  public let modified: Int
  /// The object path of the collection that holds it.
  public var collection: String {
    String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
  }

  /// The object's path on the bus.
  let path: String
  /// The connection over which it was found: for another one, the path may mean another item.
  let generation: Int
}

extension Item {
  /// What KeePassXC shows of every entry beside the attributes that were stored.
  private static let addedByService: Set<String> = [
    "Title", "UserName", "URL", "Notes", "Path", "Uuid",
  ]

  /// Reads what libsecret knows of an item; nil when it is not what was asked for.
  init?(_ item: UnsafeMutablePointer<SecretItem>, asked: Attributes, generation: Int) {
    guard let table = secret_item_get_attributes(item) else { return nil }
    defer { g_hash_table_unref(table) }
    var values = Dictionary(reading: table)
    schema = values.removeValue(forKey: "xdg:schema")
    for name in values.keys where asked[name] == nil {
      // gnome-keyring, never unlocked: `gkr:compat:hashed:NAME` = MD5 of the value.
      if name.hasPrefix("gkr:compat:") || Self.addedByService.contains(name) { values[name] = nil }
    }
    isLocked = secret_item_get_locked(item) != 0
    if isLocked { values.merge(asked.values) { known, _ in known } }
    attributes = Attributes(values)
    guard attributes.contain(asked) else { return nil }
    let text = secret_item_get_label(item)
    defer { g_free(text) }
    label = text.map { String(cString: $0) } ?? ""
    modified = Int(clamping: secret_item_get_modified(item))
    path = item.withMemoryRebound(to: GDBusProxy.self, capacity: 1) {
      String(cString: g_dbus_proxy_get_object_path($0))
    }
    self.generation = generation
  }
}

extension Dictionary where Key == String, Value == String {
  /// Copies a `GHashTable` of strings.
  fileprivate init(reading table: OpaquePointer) {
    self.init()
    var iterator = GHashTableIter()
    g_hash_table_iter_init(&iterator, table)
    var key: UnsafeMutableRawPointer?
    var value: UnsafeMutableRawPointer?
    while g_hash_table_iter_next(&iterator, &key, &value) != 0 {
      guard let key, let value else { continue }
      self[String(cString: key.assumingMemoryBound(to: CChar.self))] =
        String(cString: value.assumingMemoryBound(to: CChar.self))
    }
  }
}
