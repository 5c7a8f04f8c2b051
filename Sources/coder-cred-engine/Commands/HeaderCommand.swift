public import ArgumentParser
public import Credentials

/// `header`: the field that authenticates a request.
struct HeaderCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "header",
    abstract: "Print the HTTP header field that authenticates a request.",
    discussion: """
      coder: Authorization=Bearer …, for the header commands of the Coder CLI and its editor \
      extensions; lines: Authorization: Bearer …, for curl -H @-; json: a flat object; cookie: \
      Cookie: coder_session_token=…, which workspace proxies strip before they forward.
      """)

  @Argument(
    help: "The deployment (default: CODER_URL, the default one, or the only one).",
    completion: .deployments)
  var url: String?

  @OptionGroup var options: CredentialOptions

  @Option(help: "The notation: coder, lines, json or cookie.")
  var format = Credential.HeaderNotation.coder

  func run() throws {
    let context = CommandContext()
    let deployment = try context.deployment(named: options.named(url))
    let request = CredentialRequest(deployment: deployment, username: options.account)
    guard let session = try context.session(for: request, options) else {
      if let session = try application(deployment, context) {
        return try Terminal.output(
          Credential(session, isForApplication: true).written(as: .header(format)))
      }
      // Tools run this for every server; a failure would stop them, where no header is right.
      if format == .json { try Terminal.show("{}\n") }
      return UnansweredRequest(environment: context.environment).explainMissingHeader(
        of: deployment)
    }
    try context.output(session, as: .header(format))
  }

  /// The session of the deployment that serves an application of a workspace at a URL.
  private func application(
    _ url: Deployment, _ context: CommandContext
  ) throws -> StoredSession? {
    guard let owner = try context.settings().deployment(ofApplicationAt: url) else { return nil }
    try context.requireConfidential(owner)
    let request = CredentialRequest(deployment: owner, username: options.account)
    return try context.session(for: request, options)
  }
}

extension Credential.HeaderNotation: ExpressibleByArgument {}
