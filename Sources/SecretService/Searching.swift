internal import CSecret

/// Finding items; no secret is read.
extension SecretService {
  /// All items, of any collection, that have at least the given attributes: the unlocked ones first,
  /// then the newest.
  ///
  /// A search is a subset match: give the full set to find one item, and compare
  /// ``Item/attributes`` when items with more attributes are not meant. Items are matched without
  /// their schema, because a gnome-keyring that was never unlocked does not know it. The default
  /// collection is opened first if that asks nobody, or if ``prompts`` allows to ask.
  ///
  /// - Throws: `locked` when nothing was found and the default collection is locked, because some
  ///   services hide what is locked; `noDefaultCollection` when nothing was found and there is
  ///   none; `malformed` for an empty set or a NUL; `dismissed`, `promptUnanswered`,
  ///   `accessDenied`, `serviceGone`, `timedOut`.
  public func search(_ attributes: Attributes) throws(SecretServiceError) -> [Item] {
    try search([attributes]) { connection, paths throws(SecretServiceError) in
      [try connection.items(paths[0].unlocked + paths[0].locked, asked: attributes).inOrder]
    }[0].get()
  }

  /// What key managers call an item: read if it is not known yet.
  ///
  /// - Returns: the label; empty where the service does not tell.
  /// - Throws: `noSuchItem`, `accessDenied`, `serviceGone`, `timedOut`.
  public func label(of item: Item) throws(SecretServiceError) -> String {
    guard item.label.isEmpty else { return item.label }
    return try operation { connection throws(SecretServiceError) in
      try connection.label(of: try path(of: item, connection))
    }
  }

  /// Looks at the default collection before any search: KeePassXC opens a window to search while
  /// it is locked, and never replies while it shows no collection.
  ///
  /// - Returns: the default collection, locked or not; nil when there is none but others are there.
  func requireSearchable(
    _ connection: ServiceConnection
  ) throws(SecretServiceError) -> Collection? {
    guard let collection = try openDefaultCollection(connection) else {
      guard connection.hasCollections else { throw .noDefaultCollection }
      return nil
    }
    if collection.isLocked, connection.quirks.searchAsksToUnlock {
      throw .locked(collection: collection.label)
    }
    return collection
  }

  /// The path of an item on the connection at hand: the item's own, or, when it was found over an
  /// earlier connection, that of the item with the same attributes.
  ///
  /// - Throws: `noSuchItem`.
  func path(
    of item: Item, _ connection: ServiceConnection
  ) throws(SecretServiceError) -> String {
    if item.generation == connection.generation { return item.path }
    _ = try requireSearchable(connection)
    let same = try connection.items(with: item.attributes).filter {
      $0.attributes == item.attributes && $0.schema == item.schema
    }
    guard let found = same.first(where: { $0.path == item.path }) ?? same.first else {
      throw .noSuchItem
    }
    return found.path
  }
}

extension ServiceConnection {
  /// The items with at least these attributes, the unlocked ones first, then the newest.
  func items(with attributes: Attributes) throws(SecretServiceError) -> [Item] {
    let paths = try paths(with: attributes)
    return try items(paths.unlocked + paths.locked, asked: attributes).inOrder
  }

  /// What key managers call an item; empty where the service does not tell.
  func label(of path: String) throws(SecretServiceError) -> String {
    guard case .success(.string(let label)) = try call([get("Label", of: path, Item.interface)])[0]
    else { return "" }
    return label
  }

  /// Where the items with at least these attributes are.
  func paths(with attributes: Attributes) throws(SecretServiceError) -> ItemPaths {
    ItemPaths(consuming: try replies(to: [search(for: attributes)])[0].get())
  }

  /// Searches for items.
  func search(for attributes: Attributes) -> BusCall {
    let method = method(
      "SearchItems", of: "/org/freedesktop/secrets", "org.freedesktop.Secret.Service",
      reply: "(aoao)")
    return (method, [attributes.withTable { Value.other(csecret_attributes($0)) }])
  }
}

/// Where a search found items.
struct ItemPaths {
  let unlocked: [String]
  let locked: [String]

  /// Reads the reply to `SearchItems`, `(aoao)`, and frees it.
  init(consuming reply: OpaquePointer?) {
    guard let reply else {
      (unlocked, locked) = ([], [])
      return
    }
    defer { g_variant_unref(reply) }
    func paths(at index: gsize) -> [String] {
      let list = g_variant_get_child_value(reply, index)
      defer { g_variant_unref(list) }
      return (0..<g_variant_n_children(list)).map { index in
        let path = g_variant_get_child_value(list, index)
        defer { g_variant_unref(path) }
        return String(cString: g_variant_get_string(path, nil))
      }
    }
    (unlocked, locked) = (paths(at: 0), paths(at: 1))
  }
}

extension [Item] {
  /// The unlocked ones first, then the newest; of those of one second, the same one in every list.
  ///
  /// By their own word: a search and an item disagree while a collection is being unlocked.
  var inOrder: [Item] {
    sorted {
      ($0.isLocked ? 1 : 0, -$0.modified, $0.path) < ($1.isLocked ? 1 : 0, -$1.modified, $1.path)
    }
  }
}
