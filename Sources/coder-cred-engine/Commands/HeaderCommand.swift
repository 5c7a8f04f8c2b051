import ArgumentParser
import Credentials

/// `header`: the field that authenticates a request.
struct HeaderCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "header",
    abstract: "Print the HTTP header field that authenticates a request.",
    discussion: """
      coder          Authorization=Bearer …, with an equals sign: what the Coder CLI
                     and its editor extensions read; printed without --format
      lines          Authorization: Bearer …, for curl -H @-
      json           a flat object
      cookie         Cookie: coder_session_token=…, which workspace proxies strip
      authorization  Bearer …, the value alone
      curl           a file for curl -K
      bazel          the JSON of Bazel's credential helpers
      goauth         what Go reads from a GOAUTH command
      """)

  @Argument(
    help: ArgumentHelp(
      "The deployment (default: CODER_URL, the default one, or the only one).", valueName: "url"),
    completion: .deployments)
  var urls: [String] = []

  @OptionGroup var options: CredentialOptions

  @Option(help: "The notation.")
  var format = Credential.HeaderNotation.coder

  mutating func validate() throws {
    // Go appends the URL that was refused to the words of GOAUTH, which may name a deployment.
    guard urls.count <= (format == .goauth ? 2 : 1) else {
      throw ValidationError("only one deployment can be named")
    }
  }

  func run() throws {
    let context = CommandContext()
    let deployment = try deployment(context)
    let request = CredentialRequest(deployment: deployment, username: options.account)
    if try isMeant(deployment), let session = try context.session(for: request, options) {
      return try context.output(session, as: .header(format))
    }
    if let session = try application(deployment, context) {
      return try Terminal.output(
        Credential(session, isForApplication: true).written(as: .header(format)))
    }
    guard let absent = format.absent else {
      throw Failure.nobodySignedIn(to: deployment, as: options.account)
    }
    try Terminal.show(absent)
    UnansweredRequest(context: context).explainMissingHeader(of: deployment)
  }

  private func deployment(_ context: CommandContext) throws -> Deployment {
    guard format == .goauth, let url = urls.last else {
      return try context.deployment(named: options.named(urls.first))
    }
    // It is a module's, with whatever was asked of the server.
    let deployment = try Deployment(server: url)
    try context.requireConfidential(deployment)
    return deployment
  }

  /// Whether the URL that Go appended lies within the one before it.
  private func isMeant(_ deployment: Deployment) throws -> Bool {
    let configured = urls.count == 2 ? urls[0] : options.url
    return try configured.map { deployment.withParents.contains(try Deployment(url: $0)) } ?? true
  }

  /// The session of the deployment that serves an application of a workspace at a URL.
  private func application(
    _ url: Deployment, _ context: CommandContext
  ) throws -> StoredSession? {
    // A field's value alone could not say that it is a cookie, and Go is told the deployment's URL.
    guard format != .authorization, format != .goauth,
      let owner = try context.settings().deployment(ofApplicationAt: url)
    else { return nil }
    try context.requireConfidential(owner)
    let request = CredentialRequest(deployment: owner, username: options.account)
    return try context.session(for: request, options)
  }
}
