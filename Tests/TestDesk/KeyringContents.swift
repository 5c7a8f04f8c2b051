import Foundation
package import Testing

/// One item as the Secret Service holds it.
package struct StoredItem: Codable, Equatable {
  /// All of them, without `xdg:schema` where it is the generic one.
  package var attributes: [String: String]
  package var label: String
  /// Unix seconds: what is written again, even unchanged, shows.
  package var modified: Int
  package var secret: String

  /// Whether it has these attributes, and perhaps more.
  package func has(_ some: [String: String]) -> Bool {
    some.allSatisfy { attributes[$0] == $1 }
  }

  /// The attribute `account`, or nothing.
  package var account: String { attributes["account"] ?? "" }

  /// The payload as JSON; empty when it is none.
  package var payload: [String: Any] {
    (try? JSONSerialization.jsonObject(with: Data(secret.utf8)) as? [String: Any]) ?? [:]
  }

  /// A text in the payload.
  package subscript(_ name: String) -> String? { payload[name] as? String }
}

extension PrivateDesktop {
  /// Every item of every application with its secret, read by other means than ours, or
  /// those with these attributes. Throws ``Failure`` when one cannot be read.
  package func items(_ attributes: [String: String] = [:]) throws -> [StoredItem] {
    let result = try run("/usr/bin/python3", ["-c", Self.dump])
    guard result.status == 0 else { throw Failure("no items: \(result.stderr)") }
    return try JSONDecoder().decode([StoredItem].self, from: Data(result.output))
      .filter { $0.has(attributes) }
  }

  /// The one item with these attributes.
  package func item(
    _ attributes: [String: String] = ["kind": "session"],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> StoredItem {
    let found = try items(attributes)
    try #require(
      found.count == 1, "\(found.count) items have \(attributes)", sourceLocation: sourceLocation)
    return found[0]
  }

  private static let dump = """
    import dbus, json
    S = 'org.freedesktop.Secret.'
    bus = dbus.SessionBus()
    def at(path): return bus.get_object('org.freedesktop.secrets', path)
    def get(path, interface, name):
        return at(path).Get(S + interface, name, dbus_interface='org.freedesktop.DBus.Properties')
    root = '/org/freedesktop/secrets'
    _, session = at(root).OpenSession('plain', '', dbus_interface=S + 'Service')
    items = []
    for collection in get(root, 'Service', 'Collections'):
        for item in get(collection, 'Collection', 'Items'):
            secret = at(item).GetSecret(session, dbus_interface=S + 'Item')
            attributes = get(item, 'Item', 'Attributes')
            # What KeePassXC adds to the attributes that were stored.
            for name in ('Title', 'UserName', 'URL', 'Notes', 'Path', 'Uuid'):
                attributes.pop(name, None)
            # After a restart gnome-keyring says of items without a schema that theirs is generic.
            if attributes.get('xdg:schema') == S + 'Generic': del attributes['xdg:schema']
            items.append({
                'attributes': attributes, 'label': get(item, 'Item', 'Label'),
                'modified': int(get(item, 'Item', 'Modified')),
                'secret': bytes(secret[2]).decode('utf-8', 'backslashreplace')})
    items.sort(key=lambda item: (sorted(item['attributes'].items()), item['label']))
    print(json.dumps(items))
    """

  /// Stores an item in the default collection as another application would, without a prompt.
  package func storeAsOtherApplication(
    _ secret: String, label: String = "other", _ attributes: [String: String]
  ) throws {
    let words = try JSONEncoder().encode(attributes)
    let result = try run(
      "/usr/bin/python3", ["-c", Self.create, label, String(decoding: words, as: UTF8.self)],
      input: Array(secret.utf8))
    guard result.status == 0 else { throw Failure("storing: \(result.stderr)") }
  }

  private static let create = """
    import dbus, json, sys
    S = 'org.freedesktop.Secret.'
    bus = dbus.SessionBus()
    service = bus.get_object('org.freedesktop.secrets', '/org/freedesktop/secrets')
    _, session = service.OpenSession('plain', '', dbus_interface=S + 'Service')
    collection = service.ReadAlias('default', dbus_interface=S + 'Service')
    # A keyring without a password needs no prompt for this.
    service.Unlock([collection], dbus_interface=S + 'Service')
    secret = dbus.Struct(
        (session, dbus.ByteArray(b''), dbus.ByteArray(sys.stdin.buffer.read()), 'text/plain'),
        signature='oayays')
    attributes = dbus.Dictionary(json.loads(sys.argv[2]), signature='ss')
    item, _ = bus.get_object('org.freedesktop.secrets', collection).CreateItem(
        {S + 'Item.Label': sys.argv[1], S + 'Item.Attributes': attributes}, secret, True,
        dbus_interface=S + 'Collection')
    assert item != '/', 'a prompt is needed'
    """

  /// Gives an item another secret, and changes nothing else of it.
  package func overwrite(_ item: StoredItem, with secret: String) throws {
    let attributes = try JSONEncoder().encode(item.attributes)
    let result = try run(
      "/usr/bin/python3", ["-c", Self.overwrite, String(decoding: attributes, as: UTF8.self)],
      input: Array(secret.utf8))
    guard result.status == 0 else { throw Failure("overwriting: \(result.stderr)") }
  }

  /// Changes a member of an item's payload, as time or another program would.
  package func change(_ item: StoredItem, _ name: String, to value: Any) throws {
    try change(item, [name: value])
  }

  /// Changes members of an item's payload.
  package func change(_ item: StoredItem, _ members: [String: Any]) throws {
    let payload = item.payload.merging(members) { $1 }
    let text = try JSONSerialization.data(
      withJSONObject: payload, options: [.sortedKeys, .withoutEscapingSlashes])
    try overwrite(item, with: String(decoding: text, as: UTF8.self))
  }

  private static let overwrite = """
    import dbus, json, sys
    S = 'org.freedesktop.Secret.'
    bus = dbus.SessionBus()
    service = bus.get_object('org.freedesktop.secrets', '/org/freedesktop/secrets')
    _, session = service.OpenSession('plain', '', dbus_interface=S + 'Service')
    found, _ = service.SearchItems(json.loads(sys.argv[1]), dbus_interface=S + 'Service')
    assert len(found) == 1, found
    secret = dbus.Struct(
        (session, dbus.ByteArray(b''), dbus.ByteArray(sys.stdin.buffer.read()), 'text/plain'),
        signature='oayays')
    bus.get_object('org.freedesktop.secrets', found[0]).SetSecret(secret, dbus_interface=S + 'Item')
    """

  /// Renames or deletes an item, as its owner would in a key manager.
  package func edit(_ item: StoredItem, _ edit: ItemEdit) throws {
    let attributes = try JSONEncoder().encode(item.attributes)
    let name: [String] = if case .rename(let label) = edit { [label] } else { [] }
    let result = try run(
      "/usr/bin/python3", ["-c", Self.editor, String(decoding: attributes, as: UTF8.self)] + name)
    guard result.status == 0 else { throw Failure("editing an item: \(result.stderr)") }
  }

  /// What ``edit(_:_:)`` does.
  package enum ItemEdit {
    /// Gives it another label.
    case rename(String)
    /// Deletes it.
    case delete
  }

  private static let editor = """
    import dbus, json, sys, time
    S = 'org.freedesktop.Secret.'
    bus = dbus.SessionBus()
    service = bus.get_object('org.freedesktop.secrets', '/org/freedesktop/secrets')
    def search():
        return service.SearchItems(json.loads(sys.argv[1]), dbus_interface=S + 'Service')[0]
    found = search()
    assert len(found) == 1, found
    item = bus.get_object('org.freedesktop.secrets', found[0])
    if len(sys.argv) > 2:
        item.Set(S + 'Item', 'Label', sys.argv[2],
                 dbus_interface='org.freedesktop.DBus.Properties')
    else:
        # KeePassXC prompts for a deletion, and asks nothing when confirmations are off.
        prompt = item.Delete(dbus_interface=S + 'Item')
        if prompt != '/':
            bus.get_object('org.freedesktop.secrets', prompt).Prompt(
                '', dbus_interface=S + 'Prompt')
        end = time.monotonic() + 10
        while search():
            assert time.monotonic() < end, 'it is still there'
            time.sleep(0.02)
    """

  /// Runs some work and expects every item to be as before: not even written again.
  package func expectUnchangedItems(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ work: () throws -> Void
  ) throws {
    let before = try items()
    try work()
    let after = try items()
    #expect(after == before, "\(what) changed the keyring", sourceLocation: sourceLocation)
  }
}
