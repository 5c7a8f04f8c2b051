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
  /// What key managers show; the name of the wallet for KWallet.
  let label: String
  let isLocked: Bool
}

extension ServiceConnection {
  /// The collection behind the alias `default`; nil when there is none.
  ///
  /// Asked for anew each time, because another program may lock it or choose another one. What the
  /// alias named last time is looked at in the same round.
  func defaultCollection() throws(SecretServiceError) -> Collection? {
    let readAlias = method(
      "ReadAlias", of: "/org/freedesktop/secrets", "org.freedesktop.Secret.Service", reply: "(o)")
    var calls: [BusCall] = [(readAlias, [.string("default")])]
    if let lastDefault { calls += looks(at: lastDefault) }
    var replies = try call(calls)
    guard case .objectPath(let path) = try replies.removeFirst().get() else {
      throw .malformed(reason: "the alias “default” names no object")
    }
    guard path != "/" else { return nil }
    if path != lastDefault {
      replies = try call(looks(at: path))
      lastDefault = path
    }
    do throws(SecretServiceError) {
      return try Collection(path, replies)
    } catch .noSuchItem {
      // The alias names a collection that is gone.
      return nil
    }
  }

  /// The collection that holds an item: its path is the first part of the item's.
  func collection(holding item: String) throws(SecretServiceError) -> Collection {
    let path = String(item[..<(item.lastIndex(of: "/") ?? item.startIndex)])
    return try Collection(path, call(looks(at: path)))
  }

  /// Two properties, and not all of them: one is the list of all items.
  private func looks(at path: String) -> [BusCall] {
    ["Locked", "Label"].map { get($0, of: path, "org.freedesktop.Secret.Collection") }
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
