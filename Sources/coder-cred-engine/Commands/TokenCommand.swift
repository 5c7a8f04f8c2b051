import ArgumentParser
import Credentials

/// `token`: the access token alone.
struct TokenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Print the access token and a newline, refreshed when needed.",
    discussion: FormatArguments.explanation)

  @Argument(
    help: "The deployment (default: CODER_URL, the default one, or the only one).",
    completion: .deployments)
  var url: String?

  @OptionGroup var options: CredentialOptions

  static let usualFormat = Credential.Format.token
  @Option(help: "The form of the output.")
  var format = usualFormat

  func run() throws {
    let context = CommandContext()
    try context.output(
      context.session(at: url, options, as: format), as: format, to: options.account)
  }
}
