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

/// What `--help` says of the formats of `get` and `token`.
enum FormatArguments {
  static let explanation = """
    The formats:
      git            git-credential attributes
      token          the access token alone
      json           an object: deployment, account, token_type, access_token ...
      docker         the JSON of docker's credential helpers
      header, coder  Authorization=Bearer …, for the Coder CLI's header command
      lines          Authorization: Bearer …, for curl -H @-
      cookie         Cookie: coder_session_token=…
      authorization  Bearer …, the value of the field alone
      curl           a file for curl -K
      bazel          the JSON of Bazel's credential helpers
      goauth         what Go reads from a GOAUTH command
    """
}
