/// Finding items. Nothing here prompts or reads a secret.
extension SecretService {
  /// All items, of any collection, that have at least the given attributes.
  ///
  /// A search is a subset match: give the full set to find one item, and compare
  /// ``Item/attributes`` when items with more attributes are not meant. Items are matched without
  /// their schema, because a gnome-keyring that was never unlocked does not know it. A default
  /// collection that opens without a question is opened (``unlockWithoutAsking()``).
  ///
  /// - Parameters:
  ///   - attributes: what the items must have.
  ///   - attributesOnly: leaves ``Item/label`` and ``Item/modified`` out. gnome-keyring goes through all
  ///     its items for every property of every one, so of many items this takes half the time.
  /// - Returns: unlocked and locked items alike, in no order.
  /// - Throws: `locked` when nothing was found while the default collection is locked, because some
  ///   services hide what is locked; `malformed` for an empty set or a NUL; `unavailable`;
  ///   `timedOut`.
  public func search(
    _ attributes: Attributes, attributesOnly: Bool = false
  ) throws(SecretServiceError) -> [Item] {
    var found = try paths(attributes)
    if !found.locked.isEmpty {
      if try unlockWithoutAsking() { found = try paths(attributes) }
    } else if found.unlocked.isEmpty, try defaultCollectionState() == .locked {
      guard try unlockWithoutAsking() else { throw .locked }
      found = try paths(attributes)
    }
    var items: [Item] = []
    for (paths, isLocked) in [(found.unlocked, false), (found.locked, true)] {
      for path in paths {
        let item =
          attributesOnly
          ? try glance(at: path, isLocked: isLocked, asked: attributes)
          : try read(path, asked: attributes)
        if let item { items.append(item) }
      }
    }
    return items
  }

  /// One item's attributes alone; `nil` as for ``read(_:asked:)``.
  private func glance(
    at path: String, isLocked: Bool, asked: Attributes
  ) throws(SecretServiceError) -> Item? {
    do throws(SecretServiceError) {
      let answer = try bus.call(
        path, Self.properties, "Get", [.string(Self.item), .string("Attributes")], reply: "(v)")
      return item(path, ["Attributes": answer[0].unboxed], isLocked: isLocked, asked: asked)
    } catch .noSuchItem {
      return nil
    }
  }

  /// The paths of the items that have at least these attributes.
  func paths(
    _ attributes: Attributes
  ) throws(SecretServiceError) -> (unlocked: [String], locked: [String]) {
    // An empty set matches every item of every application.
    guard !attributes.values.isEmpty else { throw .malformed(reason: "no attributes") }
    try refuseNUL(attributes)
    let answer = try bus.call(
      Self.root, Self.service, "SearchItems", [.strings(attributes.values)], reply: "(aoao)")
    return (answer[0].children.compactMap(\.text), answer[1].children.compactMap(\.text))
  }

  /// One item; `nil` when it has vanished meanwhile or is not what was asked for.
  func read(_ path: String, asked: Attributes) throws(SecretServiceError) -> Item? {
    let answer: Variant
    do throws(SecretServiceError) {
      answer = try bus.call(
        path, Self.properties, "GetAll", [.string(Self.item)], reply: "(a{sv})")
    } catch .noSuchItem {
      return nil
    }
    let properties = answer[0].properties
    return item(path, properties, isLocked: properties["Locked"]?.bool ?? true, asked: asked)
  }

  private func item(
    _ path: String, _ properties: [String: Variant], isLocked: Bool, asked: Attributes
  ) -> Item? {
    var values = properties["Attributes"]?.strings ?? [:]
    let schema = values.removeValue(forKey: "xdg:schema")
    // gnome-keyring, never unlocked: `gkr:compat:hashed:NAME` = MD5 of the value.
    for name in values.keys where name.hasPrefix("gkr:compat:") { values[name] = nil }
    if isLocked { values.merge(asked.values) { known, _ in known } }
    let attributes = Attributes(values)
    guard attributes.contain(asked) else { return nil }
    return Item(
      attributes: attributes, schema: schema, label: properties["Label"]?.text ?? "",
      isLocked: isLocked, modified: Int(clamping: properties["Modified"]?.uint64 ?? 0), path: path)
  }

  /// A C string ends at a NUL, so what follows it would silently be dropped.
  func refuseNUL(_ attributes: Attributes) throws(SecretServiceError) {
    for (name, value) in attributes.values where name.utf8.contains(0) || value.utf8.contains(0) {
      throw .malformed(reason: "an attribute holds a NUL")
    }
  }
}
