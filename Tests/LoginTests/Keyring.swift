import Foundation
import TestDesk
import Testing

/// One of our items as the keyring holds it.
struct StoredItem: Equatable {
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
    let result = try session.run(
      "secret-tool", ["search", "--all", "application", "coder-cred", "kind", kind])
    func values(_ name: String) -> [(name: String, value: String)] {
      // secret-tool 0.20.5 shows attributes on standard error, and everything else on output.
      (result.stdout + result.stderr).split(separator: "\n").compactMap { line in
        guard line.hasPrefix(name), let equals = line.range(of: " = ") else { return nil }
        return (String(line[..<equals.lowerBound]), String(line[equals.upperBound...]))
      }
    }
    let (labels, secrets) = (values("label"), values("secret"))
    // Items of one kind have the same attributes, and come one after the other.
    let attributes = values("attribute.").map { ($0.name.dropFirst("attribute.".count), $0.value) }
    let each = attributes.count / max(1, labels.count)
    try #require(labels.count == secrets.count && labels.count * each == attributes.count)
    return labels.indices.map { index in
      let own = attributes[(index * each)..<((index + 1) * each)]
      return StoredItem(
        attributes: Dictionary(uniqueKeysWithValues: own.map { (String($0), $1) }),
        label: labels[index].value, secret: secrets[index].value)
    }
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
}
