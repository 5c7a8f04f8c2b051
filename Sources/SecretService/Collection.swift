internal import CSecret

/// What stands behind the alias `default`.
public enum CollectionState: Sendable, Hashable {
  /// There is no default collection: nothing can be stored until the user makes one.
  case absent
  /// It is there, and reading or writing it needs an unlock first.
  case locked
  /// It can be read and written.
  case unlocked
}

/// One collection, as it was when it was asked for.
struct Collection {
  let path: String
  /// What key managers show, and the name of the wallet for KWallet; empty where it was not asked for.
  let label: String
  let isLocked: Bool
}

extension ServiceConnection {
  /// The collection behind the alias `default`; nil when there is none.
  ///
  /// Asked for anew each time, because another program may lock it or choose another one.
  func defaultCollection() throws(SecretServiceError) -> Collection? {
    guard case .objectPath(let path) = try call([readAlias])[0].get() else {
      throw .malformed(reason: "the alias “default” names no object")
    }
    guard path != "/" else { return nil }
    do throws(SecretServiceError) {
      return try Collection(path, call(looks(at: path)))
    } catch .noSuchItem {
      // The alias names a collection that is gone.
      return nil
    }
  }

  /// The default collection, if it is open, and in the same round what a search finds.
  ///
  /// Only for a service that asks nobody to search. The collection that the alias named last time is
  /// looked at in the same round, too.
  ///
  /// - Returns: nil when there is none, or it is locked.
  func openCollection(
    searching attributes: Attributes
  ) throws(SecretServiceError) -> (collection: Collection, found: ItemPaths)? {
    var calls: [BusCall] = [readAlias, search(for: attributes)]
    if let lastDefault { calls.append(lockState(of: lastDefault)) }
    let replies = try replies(to: calls)
    let alias = Self.firstValue(of: replies[0])
    let found = replies[1].map(ItemPaths.init(consuming:))
    var isLocked = replies.dropFirst(2).first.map(Self.firstValue)
    guard case .objectPath(let path) = try alias.get(), path != "/" else { return nil }
    if path != lastDefault { isLocked = try call([lockState(of: path)])[0] }
    lastDefault = path
    guard case .success(.bool(false))? = isLocked else { return nil }
    return (Collection(path: path, label: "", isLocked: false), try found.get())
  }

  private var readAlias: BusCall {
    let method = method(
      "ReadAlias", of: "/org/freedesktop/secrets", "org.freedesktop.Secret.Service", reply: "(o)")
    return (method, [.string("default")])
  }

  private func lockState(of path: String) -> BusCall {
    get("Locked", of: path, "org.freedesktop.Secret.Collection")
  }

  /// The collection that holds an item: its path is the first part of the item's.
  func collection(holding item: String) throws(SecretServiceError) -> Collection {
    let path = String(item[..<(item.lastIndex(of: "/") ?? item.startIndex)])
    return try Collection(path, call(looks(at: path)))
  }

  /// Two properties, and not all of them: one is the list of all items.
  private func looks(at path: String) -> [BusCall] {
    [lockState(of: path), get("Label", of: path, "org.freedesktop.Secret.Collection")]
  }
}

extension Collection {
  /// Reads the replies to what ``ServiceConnection`` asks of a collection.
  fileprivate init(
    _ path: String, _ replies: [Result<ServiceConnection.Value, SecretServiceError>]
  ) throws(SecretServiceError) {
    self.path = path
    // What does not say that it is open is not.
    if case .bool(false) = try replies[0].get() { isLocked = false } else { isLocked = true }
    if case .success(.string(let text)) = replies[1] { label = text } else { label = "" }
  }
}
