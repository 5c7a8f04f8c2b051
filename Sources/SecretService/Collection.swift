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

/// libsecret's view of one collection, as it was when it was asked for.
final class Collection {
  let pointer: UnsafeMutablePointer<SecretCollection>
  let path: String
  /// What key managers show; the name of the wallet for KWallet.
  let label: String
  let isLocked: Bool

  /// Takes over the caller's reference.
  init(taking pointer: UnsafeMutablePointer<SecretCollection>) {
    self.pointer = pointer
    path = pointer.withMemoryRebound(to: GDBusProxy.self, capacity: 1) {
      String(cString: g_dbus_proxy_get_object_path($0))
    }
    let text = secret_collection_get_label(pointer)
    defer { g_free(text) }
    label = text.map { String(cString: $0) } ?? ""
    isLocked = secret_collection_get_locked(pointer) != 0
  }

  deinit {
    g_object_unref(pointer)
  }
}

extension ServiceConnection {
  /// The collection behind the alias `default`; nil when there is none.
  ///
  /// Asked for anew each time: what libsecret keeps of an older one lags behind the service.
  func defaultCollection() throws(SecretServiceError) -> Collection? {
    do throws(SecretServiceError) {
      return try loop.call({ csecret_default_collection(service, $0, $1, $2) }) {
        secret_collection_for_alias_finish($0, &$1)
      }.map(Collection.init(taking:))
    } catch .noSuchItem {
      // The alias names a collection that is gone.
      return nil
    }
  }

  /// The collection that holds an item: its path is the first part of the item's.
  func collection(holding item: String) throws(SecretServiceError) -> Collection? {
    let path = String(item[..<(item.lastIndex(of: "/") ?? item.startIndex)])
    return try loop.call({ csecret_collection(service, path, $0, $1, $2) }) {
      secret_collection_new_for_dbus_path_finish($0, &$1)
    }.map(Collection.init(taking:))
  }

  /// Whether the service says that it has collections at all.
  var hasCollections: Bool {
    let value = service.withMemoryRebound(to: GDBusProxy.self, capacity: 1) {
      g_dbus_proxy_get_cached_property($0, "Collections")
    }
    guard let value else { return false }
    defer { g_variant_unref(value) }
    return g_variant_is_container(value) != 0 && g_variant_n_children(value) > 0
  }
}
