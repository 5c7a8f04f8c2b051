internal import CSecret

/// Finding items; no secret is read.
extension SecretService {
  /// All items, of any collection, that have at least the given attributes: the unlocked ones first.
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
    try attributes.requireSearchable()
    return try operation { connection throws(SecretServiceError) in
      let collection = try requireSearchable(connection)
      let found = try connection.items(with: attributes)
      guard found.isEmpty else { return found }
      guard let collection else { throw .noDefaultCollection }
      guard !collection.isLocked else { throw .locked(collection: collection.label) }
      return []
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
    if collection.isLocked, try connection.quirks.get().searchAsksToUnlock {
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
  /// The items with at least these attributes, the unlocked ones first.
  func items(with attributes: Attributes) throws(SecretServiceError) -> [Item] {
    var unlocked: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    var locked: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    defer {
      g_strfreev(unlocked)
      g_strfreev(locked)
    }
    _ = try loop.call({ cancellable, callback, data in
      attributes.withTable {
        secret_service_search_for_dbus_paths(service, nil, $0, cancellable, callback, data)
      }
    }) { secret_service_search_for_dbus_paths_finish(service, $0, &unlocked, &locked, &$1) }
    let paths = Self.texts(unlocked) + Self.texts(locked)
    var items: [Item] = []
    // Bounded batches keep memory flat however many items there are.
    for start in stride(from: 0, to: paths.count, by: 64) {
      items += try self.items(paths[start..<min(start + 64, paths.count)], asked: attributes)
    }
    // By their own word: a search and an item disagree while a collection is being unlocked.
    return items.filter { !$0.isLocked } + items.filter(\.isLocked)
  }

  /// Reads items; those that have vanished meanwhile, or are not what was asked for, are left out.
  ///
  /// Their properties alone: libsecret's object for an item also watches it, which costs five times
  /// as much.
  private func items(
    _ paths: ArraySlice<String>, asked: Attributes
  ) throws(SecretServiceError) -> [Item] {
    let results = try loop.call(
      each: paths,
      { path, cancellable, callback, data in
        csecret_call(
          bus, owner, path, "org.freedesktop.DBus.Properties", "GetAll",
          Self.tuple([.string("org.freedesktop.Secret.Item")]), "(a{sv})", cancellable, callback,
          data)
      }, finish: { g_dbus_connection_call_finish(bus, $0, &$1) })
    var items: [Item] = []
    for (path, result) in zip(paths, results) {
      do throws(SecretServiceError) {
        guard let reply = try result.get() else { continue }
        defer { g_variant_unref(reply) }
        if let item = Item(path, reply, asked: asked, generation: generation) {
          items.append(item)
        }
      } catch .noSuchItem {
        continue
      }
    }
    return items
  }

  private static func texts(
    _ list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
  ) -> [String] {
    var texts: [String] = []
    var next = list
    while let text = next?.pointee {
      texts.append(String(cString: text))
      next = next?.advanced(by: 1)
    }
    return texts
  }
}
