import Foundation
import PrivateSession
import Testing

/// One of our items as the keyring holds it.
struct StoredItem: Codable, Equatable {
  var attributes: [String: String]
  var label: String
  var secret: String

  var account: String { attributes["account"] ?? "" }

  /// A member of the payload.
  subscript(_ name: String) -> Any? {
    (try? JSONSerialization.jsonObject(with: Data(secret.utf8)) as? [String: Any])?[name]
  }
}

extension Desk {
  /// Our items of one kind with their secrets, read by other means than ours.
  func items(_ kind: String) throws -> [StoredItem] {
    let result = try session.run("/usr/bin/python3", ["-c", Self.dump, kind])
    try #require(result.status == 0, "\(result.stderr)")
    return try JSONDecoder().decode([StoredItem].self, from: Data(result.output))
  }

  /// The sessions, ordered by account.
  func sessions() throws -> [StoredItem] { try items("session").sorted { $0.account < $1.account } }

  /// The one client.
  func client(sourceLocation: SourceLocation = #_sourceLocation) throws -> StoredItem {
    let clients = try items("client")
    try #require(clients.count == 1, sourceLocation: sourceLocation)
    return clients[0]
  }

  /// Changes a member of the client's payload, as time or another program would.
  func changeClient(_ name: String, to value: Any) throws {
    let item = try client()
    var payload = try #require(
      try JSONSerialization.jsonObject(with: Data(item.secret.utf8)) as? [String: Any])
    payload[name] = value
    let text = try JSONSerialization.data(
      withJSONObject: payload, options: [.sortedKeys, .withoutEscapingSlashes])
    let words = item.attributes.flatMap { [$0.key, $0.value] }
    let result = try session.run(
      "secret-tool", ["store", "--label=\(item.label)"] + words, input: Array(text))
    #expect(result.status == 0, "\(result.stderr)")
  }

  private static let dump = """
    import dbus, json, sys
    S = 'org.freedesktop.Secret.'
    bus = dbus.SessionBus()
    def at(path): return bus.get_object('org.freedesktop.secrets', path)
    def get(path, name):
        return at(path).Get(S + 'Item', name, dbus_interface='org.freedesktop.DBus.Properties')
    service = at('/org/freedesktop/secrets')
    _, session = service.OpenSession('plain', '', dbus_interface=S + 'Service')
    found, _ = service.SearchItems(
        {'application': 'coder-cred', 'kind': sys.argv[1]}, dbus_interface=S + 'Service')
    print(json.dumps([{
        'attributes': get(item, 'Attributes'), 'label': get(item, 'Label'),
        'secret': bytes(at(item).GetSecret(session, dbus_interface=S + 'Item')[2]).decode()}
        for item in found]))
    """
}
