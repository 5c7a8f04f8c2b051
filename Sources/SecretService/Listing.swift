internal import CSecret
internal import Secrets

/// Finding items, with as few calls as what is wanted of them takes.
extension SecretService {
  /// What several searches find, as ``search(_:)`` finds it, with one round of calls for all of them and a
  /// call for each item that costs a fifth: label and time are read only of items that are locked, or
  /// have the same values as another one for some names of attributes.
  ///
  /// - Parameters:
  ///   - searches: the attributes to search for, each set as for ``search(_:)``.
  ///   - names: the names of what tells one from another.
  ///   - readsSecrets: whether to read ``Item/secret`` in the same round, without encryption.
  /// - Returns: for each search the items, in the order of ``search(_:)`` where their times are read, or
  ///   `locked` or `noDefaultCollection` when that one found nothing.
  /// - Throws: as ``search(_:)``, but for these two.
  public func list(
    _ searches: [Attributes], toldApartBy names: [String], readsSecrets: Bool = false
  ) throws(SecretServiceError) -> [Outcome<[Item]>] {
    try search(searches, preparing: readsSecrets ? .plainSession : []) {
      connection, paths throws(SecretServiceError) in
      try connection.listedItems(
        paths, asked: searches, toldApartBy: names, readsSecrets: readsSecrets)
    }
  }

  func search(
    _ searches: [Attributes], preparing preparation: ServiceConnection.Preparation = [],
    _ read: (ServiceConnection, [ItemPaths]) throws(SecretServiceError) -> [[Item]]
  ) throws(SecretServiceError) -> [Outcome<[Item]>] {
    for attributes in searches { try attributes.requireSearchable() }
    return try operation { connection throws(SecretServiceError) in
      let (collection, paths) = try find(searches, connection, preparing: preparation)
      return try read(connection, paths).map { items in
        guard items.isEmpty else { return .success(items) }
        guard let collection else { return .failure(.noDefaultCollection) }
        guard !collection.isLocked else { return .failure(.locked(collection: collection.label)) }
        return .success([])
      }
    }
  }

  /// Looks at the default collection and searches: at once where that asks nobody and finds it open.
  func find(
    _ searches: [Attributes], _ connection: ServiceConnection,
    preparing preparation: ServiceConnection.Preparation
  ) throws(SecretServiceError) -> (Collection?, [ItemPaths]) {
    if connection.quirks.searchAsksNobody,
      let open = try connection.openCollection(searching: searches, preparing: preparation)
    {
      return (open.collection, open.found)
    }
    let collection = try requireSearchable(connection)
    var paths: [ItemPaths] = []
    for attributes in searches { paths.append(try connection.paths(with: attributes)) }
    return (collection, paths)
  }
}

extension ServiceConnection {
  /// Reads what searches found as ``SecretService/list(_:toldApartBy:readsSecrets:)`` says.
  func listedItems(
    _ paths: [ItemPaths], asked searches: [Attributes], toldApartBy names: [String],
    readsSecrets: Bool
  ) throws(SecretServiceError) -> [[Item]] {
    let isAnyUnlocked = paths.contains { !$0.unlocked.isEmpty }
    let session = readsSecrets && isAnyUnlocked ? try openPlainSession() : nil
    var lists: [[Item]] = []
    for (paths, attributes) in zip(paths, searches) {
      let listed = try items(paths.unlocked, session: session) {
        get("Attributes", of: $0, Item.interface)
      } reading: {
        Item($0, attributes: $1, secret: $2, asked: attributes, generation: generation)
      }
      let (unlike, alike) = told(listed, apartBy: names)
      lists.append(try (unlike + items(alike + paths.locked, asked: attributes)).inOrder)
    }
    return lists
  }

  /// The items that no other one is like, and the paths of those that have the same values of these
  /// attributes as another one.
  private func told(_ items: [Item], apartBy names: [String]) -> (unlike: [Item], alike: [String]) {
    guard items.count > 1 else { return (items, []) }
    let groups = Dictionary(grouping: items) { item in names.map { item.attributes[$0] } }.values
    return (
      groups.filter { $0.count == 1 }.flatMap(\.self),
      groups.filter { $0.count > 1 }.flatMap(\.self).map(\.path)
    )
  }

  /// Reads items with all their properties.
  func items(
    _ paths: [String], asked: Attributes
  ) throws(SecretServiceError) -> [Item] {
    try items(paths, session: nil) { path in
      let getAll = method("GetAll", of: path, "org.freedesktop.DBus.Properties", reply: "(a{sv})")
      return (getAll, [.string(Item.interface)])
    } reading: { path, reply, _ in
      Item(path, properties: reply, asked: asked, generation: generation)
    }
  }

  /// Reads items with a call for each, and with a D-Bus session without encryption one more for its
  /// secret; those that have vanished meanwhile, or are not what was asked for, are left out.
  ///
  /// By properties alone: libsecret's object for an item also watches it, which costs five times
  /// as much.
  private func items(
    _ paths: [String], session: String?, calling call: (String) -> BusCall,
    reading read: (String, OpaquePointer, Secret?) -> Item?
  ) throws(SecretServiceError) -> [Item] {
    var items: [Item] = []
    // Bounded batches keep memory flat however many items there are.
    for start in stride(from: 0, to: paths.count, by: 64) {
      let batch = Array(paths[start..<min(start + 64, paths.count)])
      var calls = batch.map(call)
      if let session { calls += batch.map { getSecret(of: $0, over: session) } }
      let replies = try replies(to: calls)
      for (index, path) in batch.enumerated() {
        // One that cannot be had is asked for alone, for the reason.
        let secret = session.flatMap {
          try? plainSecret(in: replies[batch.count + index], over: $0)
        }
        do throws(SecretServiceError) {
          guard let reply = try replies[index].get() else { continue }
          defer { g_variant_unref(reply) }
          if let item = read(path, reply, secret) { items.append(item) }
        } catch .noSuchItem {
          continue
        }
      }
    }
    return items
  }
}
