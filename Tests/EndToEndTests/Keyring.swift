import Foundation
import TestDesk
import Testing

/// One item as the keyring holds it.
struct StoredItem: Codable, Equatable {
  var attributes: [String: String]
  var label: String
  /// Unix seconds: what is written again, even unchanged, shows.
  var modified: Int
  var secret: String

  /// Whether it has these attributes, and perhaps more.
  func has(_ some: [String: String]) -> Bool { some.allSatisfy { attributes[$0] == $1 } }

  /// The payload as JSON.
  var payload: [String: Any] {
    (try? JSONSerialization.jsonObject(with: Data(secret.utf8)) as? [String: Any]) ?? [:]
  }
}

extension Desk {
  /// Every item of every application with its secret, read by other means than ours.
  func items() throws -> [StoredItem] {
    let result = try session.run("/usr/bin/python3", ["-c", Self.dump])
    guard result.status == 0 else { throw Unreadable(reason: result.stderr) }
    return try JSONDecoder().decode([StoredItem].self, from: Data(result.output))
  }

  /// The one item of ours with these attributes.
  func item(_ attributes: [String: String] = ["kind": "session"]) throws -> StoredItem {
    let found = try items().filter { $0.has(attributes) }
    try #require(found.count == 1, "\(found.count) items have \(attributes)")
    return found[0]
  }

  /// What the keyring would not show.
  struct Unreadable: Error {
    let reason: String
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
            # After a restart gnome-keyring says of items without a schema that theirs is generic.
            if attributes.get('xdg:schema') == S + 'Generic': del attributes['xdg:schema']
            items.append({
                'attributes': attributes, 'label': get(item, 'Item', 'Label'),
                'modified': int(get(item, 'Item', 'Modified')),
                'secret': bytes(secret[2]).decode('utf-8', 'backslashreplace')})
    items.sort(key=lambda item: (sorted(item['attributes'].items()), item['label']))
    print(json.dumps(items))
    """

  /// Stores as another application would.
  func otherApplicationStores(
    _ secret: String, label: String, _ attributes: [String: String]
  ) throws {
    let words = attributes.flatMap { [$0.key, $0.value] }
    let result = try run(
      "secret-tool", ["store", "--label=\(label)"] + words, input: Array(secret.utf8))
    #expect(result.status == 0, "\(result.stderr)")
  }

  /// Gives an item another secret, and nothing else.
  func write(_ secret: String, over item: StoredItem) throws {
    let attributes = try JSONEncoder().encode(item.attributes)
    let result = try run(
      "/usr/bin/python3", ["-c", Self.overwrite, String(decoding: attributes, as: UTF8.self)],
      input: Array(secret.utf8))
    #expect(result.status == 0, "\(result.stderr)")
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

  /// Runs some work and expects every item of the keyring to be as before: not even written again.
  func keepingTheKeyring(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ work: () throws -> Void
  ) throws {
    let before = try items()
    try work()
    let after = try items()
    #expect(after == before, "\(what) changed the keyring", sourceLocation: sourceLocation)
  }
}
