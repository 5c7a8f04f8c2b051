import Credentials
import MinimalDBus
import Secrets

/// An item of the Secret Service, read without a library; no call here can raise a prompt.
struct KeyringItem {
  let attributes: [String: String]
  let secret: Secret

  private static let name = "org.freedesktop.secrets"
  private static let root = "/org/freedesktop/secrets"
  private static let interface = "org.freedesktop.Secret"

  /// The one unlocked item that any of these searches finds; nil when they find nothing. If the first
  /// one is preferred, what it finds is meant whatever the others find.
  ///
  /// - Throws: also when there are several, or locked ones, or the default collection is locked.
  static func only(
    of searches: [[String: String]], preferringFirst: Bool
  ) throws(BusError) -> KeyringItem? {
    // gnome-keyring (42 to 50 at least) notes who is calling aside from replying. When a search
    // overtakes that note, it is refused; when OpenSession does, or reading a property of a
    // collection, the daemon aborts, and comes back locked. So first something harmless is read.
    let service = "\(interface).Service"
    let bus = try BusConnection(
      address: variable("DBUS_SESSION_BUS_ADDRESS") ?? "",
      sending: MethodCall(serial: 2, to: name, root, getting: "Collections", of: service))
    // Only gnome-keyring has a collection for the session, and searches whatever is locked in
    // silence. KeePassXC raises a window when a locked database is searched.
    var collections = try bus.reply(to: 2, "v")
    guard try collections.signature() == "ao" else { throw .malformed }
    if try !collections.texts().contains("\(root)/collection/session") {
      let call = MethodCall(
        serial: 3, to: name, "\(root)/aliases/default", getting: "Locked",
        of: "\(interface).Collection")
      try bus.send([call])
      var locked = try bus.reply(to: 3, "v")
      guard try locked.signature() == "b", try locked.number() == 0 else { throw .refused }
    }
    var calls = [
      MethodCall(serial: 4, to: name, root, service, "OpenSession", "sv") {
        $0.append("plain")
        $0.append(variant: "")
      }
    ]
    for (index, asked) in searches.enumerated() {
      let call = MethodCall(
        serial: UInt32(5 + index), to: name, root, service, "SearchItems", "a{ss}"
      ) { $0.append(asked.map { ($0.key, $0.value) }) }
      calls.append(call)
    }
    try bus.send(calls)
    let session = try session(in: bus.reply(to: 4, "vo"))
    var found: (path: String, search: [String: String])?
    for (index, asked) in searches.enumerated() {
      for path in try unlockedPaths(in: bus.reply(to: 5 + index, "aoao")) {
        guard found == nil else { throw .refused }
        found = (path, asked)
      }
      if preferringFirst && found != nil { break }
    }
    return try found.map { found throws(BusError) in
      let item = try KeyringItem(found.path, bus, session, serial: UInt32(5 + searches.count))
      guard found.search.allSatisfy({ item.attributes[$0.key] == $0.value }) else {
        throw .malformed
      }
      return item
    }
  }

  private init(
    _ path: String, _ bus: BusConnection, _ session: String, serial: UInt32
  ) throws(BusError) {
    let interface = "\(Self.interface).Item"
    try bus.send([
      MethodCall(serial: serial, to: Self.name, path, getting: "Attributes", of: interface),
      MethodCall(serial: serial + 1, to: Self.name, path, interface, "GetSecret", "o") {
        $0.append(session)
      },
    ])
    var reader = try bus.reply(to: Int(serial), "v")
    guard try reader.signature() == "a{ss}" else { throw .malformed }
    attributes = try reader.pairs()
    secret = try Self.secret(in: bus.reply(to: Int(serial) + 1, "(oayays)"), of: session)
  }

  /// SearchItems replies with the unlocked items and the locked ones.
  private static func unlockedPaths(in reply: MessageReader) throws(BusError) -> [String] {
    var reader = reply
    let unlocked = try reader.texts()
    guard try reader.number() == 0 else { throw .refused }
    return unlocked
  }

  /// The output of `plain` is an empty string; KWallet sends an empty array of bytes.
  private static func session(in reply: MessageReader) throws(BusError) -> String {
    var reader = reply
    switch try reader.signature() {
    case "s": guard try reader.text().isEmpty else { throw .malformed }
    case "ay": guard try reader.data().isEmpty else { throw .malformed }
    default: throw .malformed
    }
    return try reader.text()
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
