extension Credential.Format {
  /// The forms of `get` and `token` by the names that `--format` takes. `json` is theirs; that of
  /// `header` is a ``Credential/HeaderNotation``.
  public init?(name: String) {
    switch name {
    case "git": self = .git(authtype: true)
    case "token": self = .token
    case "json": self = .json
    case "docker": self = .docker
    case "header": self = .header(.coder)
    default:
      guard let notation = Credential.HeaderNotation(name: name) else { return nil }
      self = .header(notation)
    }
  }

  /// Every name that ``init(name:)`` takes.
  public static var names: [String] {
    ["git", "token", "json", "docker", "header"]
      + Credential.HeaderNotation.all.map { $0.name }.filter { $0 != "json" }
  }
}
