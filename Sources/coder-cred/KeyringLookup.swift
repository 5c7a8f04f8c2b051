import Credentials
import MinimalDBus
import Secrets

/// The one stored session that fits, read in three round trips; no call here can raise a prompt.
struct KeyringLookup {
  let attributes: [String: String]
  let secret: Secret

  private static let name = "org.freedesktop.secrets"
  private static let root = "/org/freedesktop/secrets"
  private static let properties = "org.freedesktop.DBus.Properties"
  private static let interface = "org.freedesktop.Secret"

  /// Reads the item with these attributes.
  ///
  /// - Throws: unless there is exactly one, and unlocked.
  init(_ asked: [String: String]) throws(BusError) {
    let service = "\(Self.interface).Service"
    // gnome-keyring (42 to 50 at least) notes who is calling aside from answering. When a search
    // overtakes that note, it is refused; when OpenSession does, the daemon aborts, and comes back
    // locked. So neither is sent before something harmless was answered.
    let bus = try BusConnection(
      address: variable("DBUS_SESSION_BUS_ADDRESS") ?? "",
      sending: MethodCall(serial: 2, to: Self.name, Self.root, Self.properties, "Get", "ss") {
        $0.append(service)
        $0.append("Collections")
      })
    _ = try bus.reply(to: 2, "v")
    try bus.send(
      MethodCall(serial: 3, to: Self.name, Self.root, service, "OpenSession", "sv") {
        $0.append("plain")
        $0.append(variant: "")
      },
      MethodCall(serial: 4, to: Self.name, Self.root, service, "SearchItems", "a{ss}") {
        $0.append(asked.map { ($0.key, $0.value) })
      })
    let path = try Self.onlyPath(in: bus.reply(to: 4, "aoao"))
    let session = try Self.session(in: bus.reply(to: 3, "vo"))
    try bus.send(
      MethodCall(serial: 5, to: Self.name, path, Self.properties, "Get", "ss") {
        $0.append("\(Self.interface).Item")
        $0.append("Attributes")
      },
      MethodCall(serial: 6, to: Self.name, path, "\(Self.interface).Item", "GetSecret", "o") {
        $0.append(session)
      })
    attributes = try Self.attributes(in: bus.reply(to: 5, "v"))
    secret = try Self.secret(in: bus.reply(to: 6, "(oayays)"), of: session)
    guard asked.allSatisfy({ attributes[$0.key] == $0.value }) else { throw .malformed }
  }

  /// SearchItems answers with the unlocked items and the locked ones.
  private static func onlyPath(in reply: MessageReader) throws(BusError) -> String {
    var reader = reply
    var unlocked: [String] = []
    try reader.array(alignment: 4) { item throws(BusError) in unlocked.append(try item.text()) }
    guard unlocked.count == 1, try reader.number() == 0 else { throw .refused }
    return unlocked[0]
  }

  private static func session(in reply: MessageReader) throws(BusError) -> String {
    var reader = reply
    guard try reader.signature() == "s", try reader.text().isEmpty else { throw .malformed }
    return try reader.text()
  }

  private static func attributes(in reply: MessageReader) throws(BusError) -> [String: String] {
    var reader = reply
    guard try reader.signature() == "a{ss}" else { throw .malformed }
    var attributes: [String: String] = [:]
    try reader.array(alignment: 8) { pair throws(BusError) in
      let name = try pair.text()
      attributes[name] = try pair.text()
    }
    return attributes
  }

  private static func secret(in reply: MessageReader, of session: String) throws(BusError) -> Secret
  {
    var reader = reply
    guard try reader.text() == session, try reader.data().isEmpty,
      case let value = try reader.data(), value.count <= Payload.maximumBytes,
      let text = String(validating: value, as: UTF8.self)
    else { throw .malformed }
    return Secret(text)
  }
}
