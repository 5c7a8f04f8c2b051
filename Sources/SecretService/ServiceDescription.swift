/// Which program serves as the Secret Service, and what of it is worth knowing.
public struct ServiceDescription: Sendable, Hashable {
  /// What people call it; nil for one that is not known here.
  public let name: String?
  /// Whether a search opens a window while everything is locked.
  public let searchAsksToUnlock: Bool
  /// The last part of the default collection's path, by which a service names its files; nil when there
  /// is no default collection.
  public let defaultCollection: String?
}

extension SecretService {
  /// Which program this is.
  ///
  /// - Throws: `accessDenied`, `serviceGone`, `timedOut`, `failed`.
  public func description() throws(SecretServiceError) -> ServiceDescription {
    try operation { connection throws(SecretServiceError) in
      let quirks = connection.quirks
      let path = try connection.defaultCollection()?.path
      return ServiceDescription(
        name: quirks.serviceName, searchAsksToUnlock: quirks.searchAsksToUnlock,
        defaultCollection: path?.split(separator: "/").last.map(String.init))
    }
  }
}
