import ArgumentParser
import Credentials

/// `token`: the access token alone.
struct Token: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the access token and a newline, refreshed when needed.")

  @Argument(help: "The deployment (default: CODER_URL, the default one, or the only one).")
  var url: String?

  @OptionGroup var options: AnswerOptions

  @Option(help: "The form of the answer: git, token or json.")
  var format = Get.Format.token

  func run() throws {
    let engine = Engine()
    try engine.answer(engine.session(at: url, options), as: format.answer())
  }
}
