internal import CSecret

/// What an item is found by: names and values, all of them readable by every program of the session.
///
/// Nothing secret belongs here: gnome-keyring writes the names in clear and the values as unsalted
/// MD5, and shows both to anyone who asks, even while locked.
public struct Attributes: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// The pairs, without `xdg:schema`, which the service and we keep for ourselves.
  public private(set) var values: [String: String]

  /// Takes the pairs of a dictionary as they are.
  public init(_ values: [String: String]) {
    self.values = values
  }

  /// Takes the pairs of a literal; of two pairs with one name, the last one counts.
  public init(dictionaryLiteral elements: (String, String)...) {
    values = Dictionary(elements, uniquingKeysWith: { _, last in last })
  }

  /// The value of one name, or `nil` when the item does not have it.
  public subscript(name: String) -> String? {
    get { values[name] }
    set { values[name] = newValue }
  }

  /// Whether every pair asked for is among these.
  public func contain(_ asked: Attributes) -> Bool {
    asked.values.allSatisfy { values[$0.key] == $0.value }
  }
}

extension Attributes {
  /// Refuses what a C string would cut short, and the empty set, which every item has.
  func requireSearchable() throws(SecretServiceError) {
    guard !values.isEmpty else { throw .malformed(reason: "no attributes") }
    for (name, value) in values where name.utf8.contains(0) || value.utf8.contains(0) {
      throw .malformed(reason: "an attribute holds a NUL")
    }
  }

  /// Lends the pairs as the `GHashTable` of strings that libsecret takes.
  func withTable<Value>(schema: String? = nil, _ body: (OpaquePointer?) -> Value) -> Value {
    let table = g_hash_table_new_full(g_str_hash, g_str_equal, { g_free($0) }, { g_free($0) })
    defer { g_hash_table_unref(table) }
    for (name, value) in values { g_hash_table_insert(table, g_strdup(name), g_strdup(value)) }
    if let schema { g_hash_table_insert(table, g_strdup("xdg:schema"), g_strdup(schema)) }
    return body(table)
  }
}
