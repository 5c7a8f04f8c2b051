internal import CSecret
public import Secrets

/// Writing and deleting. Nothing here prompts.
extension SecretService {
  /// What kind of items ours say they are (`xdg:schema`); ``search(_:)`` never asks for it.
  public static let schema = "io.github.coder_cred"

  /// Writes one item to the default collection, replacing the one with these very attributes.
  ///
  /// The service replaces whatever item *contains* the attributes given and is of our schema.
  /// Therefore give the full set that identifies the item; a set that is part of another of our
  /// items is refused. Items of other schemas, even with the same attributes, are left alone.
  ///
  /// - Throws: `locked`, `promptRequired`, `unavailable` (also when there is no default collection),
  ///   `timedOut`, `malformed` for an empty set, a NUL in attributes or label, a secret longer than
  ///   ``longestSecret``, or a set that is part of another item's.
  public func store(
    _ secret: Secret, label: String, attributes: Attributes
  ) throws(SecretServiceError) {
    guard !label.utf8.contains(0) else { throw .malformed(reason: "the label holds a NUL") }
    guard !attributes.values.isEmpty else { throw .malformed(reason: "no attributes") }
    guard let collection = try defaultCollection() else { throw Self.noDefaultCollection }
    do throws(SecretServiceError) {
      try create(secret, label: label, attributes: attributes, in: collection)
    } catch .locked {
      guard try unlockWithoutAsking() else { throw .locked }
      try create(secret, label: label, attributes: attributes, in: collection)
    } catch .noSuchItem {
      throw Self.noDefaultCollection
    }
  }

  private func create(
    _ secret: Secret, label: String, attributes: Attributes, in collection: String
  ) throws(SecretServiceError) {
    var values = attributes.values
    values["xdg:schema"] = Self.schema
    try refuseOverwriting(values, in: collection, with: attributes)
    let properties = Variant.properties([
      "\(Self.item).Label": .string(label), "\(Self.item).Attributes": .strings(values),
    ])
    let answer = try bus.call(
      collection, Self.collection, "CreateItem", [properties, try encode(secret), .bool(true)],
      reply: "(oo)")
    if answer[1].text != Self.none { throw try promptRefused(collection, Self.collection) }
  }

  /// Deletes one item.
  ///
  /// - Throws: `locked`, `promptRequired`, `noSuchItem`, `unavailable`, `timedOut`.
  public func delete(_ item: Item) throws(SecretServiceError) {
    let answer = try bus.call(item.path, Self.item, "Delete", [], reply: "(o)")
    if answer[0].text != Self.none { throw try promptRefused(item.path, Self.item) }
  }

  static let noDefaultCollection = SecretServiceError.unavailable(
    reason: "the Secret Service has no default collection")

  /// Looks at what the service would replace; a race with another writer of our own is theirs.
  private func refuseOverwriting(
    _ values: [String: String], in collection: String, with attributes: Attributes
  ) throws(SecretServiceError) {
    let found = try paths(Attributes(values))
    let inside = "\(collection)/"
    if found.locked.contains(where: { $0.hasPrefix(inside) }) { throw .locked }
    for path in found.unlocked where path.hasPrefix(inside) {
      guard let item = try read(path, asked: attributes) else { continue }
      guard item.attributes == attributes else {
        throw .malformed(reason: "another item has these attributes and more")
      }
    }
  }

  /// What to say when the service answered with a prompt, which we do not show.
  private func promptRefused(
    _ path: String, _ interface: String
  ) throws(SecretServiceError) -> SecretServiceError {
    try isLocked(path, interface) ? .locked : .promptRequired
  }

  private func encode(_ secret: Secret) throws(SecretServiceError) -> Variant {
    let session = try openSession()
    var text = secret.revealed
    guard text.utf8.count <= Self.longestSecret else {
      throw .malformed(reason: "the secret is longer than \(Self.longestSecret) bytes")
    }
    let value = text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        secret_value_new($0.baseAddress, gssize($0.count), "text/plain")
      }
    }
    guard let value else { throw .malformed(reason: "libsecret refused the secret") }
    defer { secret_value_unref(UnsafeMutableRawPointer(value)) }
    guard let encoded = secret_service_encode_dbus_secret(session, value) else {
      throw .malformed(reason: "the secret could not be encrypted")
    }
    return Variant(taking: encoded)
  }
}
