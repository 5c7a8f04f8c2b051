import Secrets

extension Credential {
  /// How the HTTP header field that authenticates a request is written, for one kind of tool.
  public struct HeaderNotation: Sendable, Equatable {
    /// What `--format` calls it.
    public let name: String
    /// What a tool is told where there is no credential; nil when it takes that for a failure.
    public let absent: String?
    let write: @Sendable (Credential) throws(MalformedInput) -> Secret

    /// Every notation.
    public static let all = [
      coder, lines, json, cookie, authorization, curl, bazel, goauth,
    ]

    init(
      _ name: String, absent: String? = nil,
      write: @escaping @Sendable (Credential) throws(MalformedInput) -> Secret
    ) {
      self.name = name
      self.absent = absent
      self.write = write
    }

    /// The notation of this name; nil when there is none.
    public init?(name: String) {
      guard let notation = Self.all.first(where: { $0.name == name }) else { return nil }
      self = notation
    }

    /// Whether both are the same notation.
    public static func == (lhs: Self, rhs: Self) -> Bool { lhs.name == rhs.name }
  }
}
