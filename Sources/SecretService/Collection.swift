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

  /// The default collection, if it is open, and in the same round what searches find.
  ///
  /// Only for a service that asks nobody to search, and where the alias is an object of its own.
  ///
  /// - Parameters:
  ///   - searches: the attributes to search for, each set by itself.
  ///   - preparation: what else to do in this round.
  /// - Returns: nil when there is none, or it is locked.
  /// - Throws: `timedOut`, and what a search failed with.
  func openCollection(
    searching searches: [Attributes], preparing preparation: Preparation
  ) throws(SecretServiceError) -> (collection: Collection, found: [ItemPaths])? {
    let alias = "/org/freedesktop/secrets/aliases/default"
    var calls = searches.map(search(for:)) + [lockState(of: alias)]
    if preparation.contains(.plainSession), plainSession == nil { calls += openSessionCall }
    let exchangeKeys = preparation.contains(.keyExchange) ? try keyExchange() : nil
    let replies = try replies(to: calls, beside: exchangeKeys)
    let found = replies[..<searches.count].map { $0.map(ItemPaths.init(consuming:)) }
    let isLocked = Self.firstValue(of: replies[searches.count])
    if calls.count > searches.count + 1 { try? takeSession(from: replies[searches.count + 1]) }
    guard case .success(.bool(false)) = isLocked else { return nil }
    var paths: [ItemPaths] = []
    for result in found { paths.append(try result.get()) }
    return (Collection(path: alias, label: "", isLocked: false), paths)
  }

  /// What may be made ready in the round of a search; what fails is tried again where it is needed.
  struct Preparation: OptionSet {
    let rawValue: Int

    /// The D-Bus session for secrets that are read without encryption.
    static let plainSession = Preparation(rawValue: 1)
    /// The one for secrets that are written: the calls before it are under way while our key is made.
    static let keyExchange = Preparation(rawValue: 2)
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
    _ path: String, _ replies: [Outcome<ServiceConnection.Value>]
  ) throws(SecretServiceError) {
    self.path = path
    // What does not say that it is open is not.
    if case .bool(false) = try replies[0].get() { isLocked = false } else { isLocked = true }
    if case .success(.string(let text)) = replies[1] { label = text } else { label = "" }
  }
}
