internal import CSecret
public import Secrets

/// One entry of the Secret Service, as it was when it was searched for.
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
  /// What key managers such as Seahorse show; empty while it is not known.
  public let label: String
  /// Whether reading the secret needs an unlock or a confirmation first.
  public let isLocked: Bool
  /// When the item was last changed, in seconds since 1970; 0 while it is not known.
  public let modified: Int
  /// Its secret, where that was asked for too and could be had without asking anybody.
  public let secret: Secret?
  /// The object path of the collection that holds it.
  public var collection: String {
    String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
  }

  static let interface = "org.freedesktop.Secret.Item"

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

  /// Reads the properties of an item; nil when it is not what was asked for.
  ///
  /// - Parameters:
  ///   - path: the object's path.
  ///   - reply: the reply to `GetAll`, `(a{sv})`.
  ///   - asked: the attributes that were searched for.
  ///   - generation: the connection over which it was found.
  init?(_ path: String, properties reply: OpaquePointer, asked: Attributes, generation: Int) {
    let properties = g_variant_get_child_value(reply, 0)
    defer { g_variant_unref(properties) }
    func property<Value>(
      _ name: String, _ type: String, _ read: (OpaquePointer) -> Value
    ) -> Value? {
      guard let value = g_variant_lookup_value(properties, name, nil) else { return nil }
      defer { g_variant_unref(value) }
      return String(cString: g_variant_get_type_string(value)) == type ? read(value) : nil
    }
    guard let values = property("Attributes", "a{ss}", Dictionary.init(reading:)) else {
      return nil
    }
    self.init(
      path, values, secret: nil, asked: asked, generation: generation,
      isLocked: property("Locked", "b") { g_variant_get_boolean($0) != 0 } ?? false,
      label: property("Label", "s") { String(cString: g_variant_get_string($0, nil)) } ?? "",
      modified: property("Modified", "t") { Int(clamping: g_variant_get_uint64($0)) } ?? 0)
  }

  /// Reads the attributes of an unlocked item alone; nil when it is not what was asked for.
  ///
  /// - Parameters:
  ///   - path: the object's path.
  ///   - reply: the reply to `Get` of `Attributes`, `(v)`.
  ///   - secret: its secret, if it was read as well.
  ///   - asked: the attributes that were searched for.
  ///   - generation: the connection over which it was found.
  init?(
    _ path: String, attributes reply: OpaquePointer, secret: Secret?, asked: Attributes,
    generation: Int
  ) {
    guard let box = g_variant_get_child_value(reply, 0) else { return nil }
    defer { g_variant_unref(box) }
    guard let value = g_variant_get_variant(box) else { return nil }
    defer { g_variant_unref(value) }
    guard String(cString: g_variant_get_type_string(value)) == "a{ss}" else { return nil }
    self.init(
      path, Dictionary(reading: value), secret: secret, asked: asked, generation: generation,
      isLocked: false, label: "", modified: 0)
  }

  private init?(
    _ path: String, _ shown: [String: String], secret: Secret?, asked: Attributes,
    generation: Int, isLocked: Bool, label: String, modified: Int
  ) {
    var values = shown
    schema = values.removeValue(forKey: "xdg:schema")
    for name in values.keys where asked[name] == nil {
      // gnome-keyring, never unlocked: `gkr:compat:hashed:NAME` = MD5 of the value.
      if name.hasPrefix("gkr:compat:") || Self.addedByService.contains(name) { values[name] = nil }
    }
    if isLocked { values.merge(asked.values) { known, _ in known } }
    attributes = Attributes(values)
    guard attributes.contain(asked) else { return nil }
    self.secret = secret
    self.isLocked = isLocked
    self.label = label
    self.modified = modified
    self.path = path
    self.generation = generation
  }
}

extension Dictionary where Key == String, Value == String {
  /// Copies an `a{ss}`.
  fileprivate init(reading variant: OpaquePointer) {
    self.init()
    for index in 0..<g_variant_n_children(variant) {
      let pair = g_variant_get_child_value(variant, index)
      let (key, value) = (g_variant_get_child_value(pair, 0), g_variant_get_child_value(pair, 1))
      self[String(cString: g_variant_get_string(key, nil))] =
        String(cString: g_variant_get_string(value, nil))
      for part in [pair, key, value] { g_variant_unref(part) }
    }
  }
}
