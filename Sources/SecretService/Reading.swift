internal import CSecret
public import Secrets

/// Reading secrets.
extension SecretService {
  /// The longest secret that is read or written, in bytes of UTF-8.
  public static let longestSecret = 65_536

  /// The secret of one item.
  ///
  /// - Throws: `locked`, `noSuchItem` for an item deleted meanwhile, `malformed` when it is not UTF-8
  ///   or longer than ``longestSecret``, `unavailable`, `timedOut`.
  public func secret(of item: Item) throws(SecretServiceError) -> Secret {
    let answer = try bus.call(
      item.path, Self.item, "GetSecret", [.path(try sessionPath())], reply: "((oayays))")
    return try decode(answer[0])
  }

  /// The secrets of many items, in the order given, with one call for every 64 of them.
  ///
  /// One that cannot be read is that item's failure, not everyone's: `locked`, `noSuchItem` or
  /// `malformed`, as for ``secret(of:)``.
  ///
  /// - Throws: `unavailable`, `timedOut`.
  public func secrets(
    of items: [Item]
  ) throws(SecretServiceError) -> [Result<Secret, SecretServiceError>] {
    var results: [Result<Secret, SecretServiceError>] = []
    results.reserveCapacity(items.count)
    // Bounded batches keep memory flat however many items there are.
    for start in stride(from: 0, to: items.count, by: 64) {
      try appendSecrets(of: items[start..<min(start + 64, items.count)], to: &results)
    }
    return results
  }

  private func appendSecrets(
    of items: ArraySlice<Item>, to results: inout [Result<Secret, SecretServiceError>]
  ) throws(SecretServiceError) {
    let paths = Variant.array("o", items.map { .path($0.path) })
    let answer = try bus.call(
      Self.root, Self.service, "GetSecrets", [paths, .path(try sessionPath())],
      reply: "(a{o(oayays)})")
    var found: [String: Variant] = [:]
    for entry in answer[0].children {
      if let path = entry[0].text { found[path] = entry[1] }
    }
    for item in items {
      guard let value = found[item.path] else {
        results.append(.failure(item.isLocked ? .locked : .noSuchItem))
        continue
      }
      do throws(SecretServiceError) {
        results.append(.success(try decode(value)))
      } catch {
        results.append(.failure(error))
      }
    }
  }

  /// Decrypts what the service sent; libsecret holds it in memory that is never paged out.
  private func decode(_ answer: Variant) throws(SecretServiceError) -> Secret {
    let session = try openSession()
    let decoded = withExtendedLifetime(answer) {
      secret_service_decode_dbus_secret(session, answer.pointer)
    }
    guard let value = decoded else {
      throw .malformed(reason: "the secret could not be decrypted")
    }
    defer { secret_value_unref(UnsafeMutableRawPointer(value)) }
    var length: gsize = 0
    let start = secret_value_get(value, &length)
    guard length <= gsize(Self.longestSecret) else {
      throw .malformed(reason: "the secret is longer than \(Self.longestSecret) bytes")
    }
    let bytes = UnsafeRawBufferPointer(start: start, count: Int(length))
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .malformed(reason: "the secret is not UTF-8")
    }
    return Secret(text)
  }
}
