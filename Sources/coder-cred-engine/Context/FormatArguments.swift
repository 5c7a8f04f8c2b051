public import ArgumentParser
public import Credentials

extension Credential.Format: ExpressibleByArgument {
  /// Reads what `--format` of `get` and `token` is given.
  public init?(argument: String) { self.init(name: argument) }
  /// The default differs from command to command.
  public var defaultValueDescription: String { "the command's" }
  /// What the help lists.
  public static var allValueStrings: [String] { names }
}

extension Credential.HeaderNotation: ExpressibleByArgument {
  /// Reads what `--format` of `header` is given.
  public init?(argument: String) { self.init(name: argument) }
  /// What the help shows.
  public var defaultValueDescription: String { name }
  /// What the help lists.
  public static var allValueStrings: [String] { all.map(\.name) }
}
