import ArgumentParser
import Credentials

/// `get`: git's question, or anyone's.
struct GetCommand: ParsableCommand {
  /// The forms of an answer.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case git
    case token
    case json
  }

  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Print the credential for a deployment, refreshed when needed.",
    discussion: """
      Without a URL, git-credential attributes are read from standard input. A request that is \
      not for a deployment known here is passed over in silence.
      """)

  @Argument(help: "The deployment; standard input is not read.")
  var url: String?

  @OptionGroup var options: CredentialOptions

  @Option(help: "The form of the answer: git, token or json.")
  var format = Format.git

  @Flag(help: "Sign in through the browser if need be, unless git says not to ask.")
  var interactive = false

  func run() throws {
    let context = CommandContext()
    let interaction = LoginOnDemand(context: context, isWanted: interactive)
    if let url {
      let session = try interaction.signingInIfNeedBe { () throws(Failure) in
        try context.session(at: url, options)
      }
      try context.answer(session, as: format.answer())
      return
    }
    var request = try CredentialRequest(fromStandardInput: context)
    request.username = request.username ?? options.account
    let session = try interaction.signingInIfNeedBe { [request] () throws(Failure) in
      try context.session(for: request, options)
    }
    guard let session else { return }
    try context.answer(session, as: format.answer(git: request.gitFormat))
  }
}

extension GetCommand.Format {
  /// The form as it is written; what git understands, it says itself where it can.
  func answer(git: Credential.Format = .git(authtype: true)) -> Credential.Format {
    switch self {
    case .git: git
    case .token: .token
    case .json: .json
    }
  }
}

extension CredentialRequest {
  /// Reads the request a caller sends, and refuses one that would send a secret readably.
  init(fromStandardInput context: CommandContext) throws(Failure) {
    let bytes = try Terminal.readRequest()
    do throws(MalformedInput) {
      try self.init(parsing: bytes)
    } catch {
      throw Failure(error)
    }
    do throws(Failure) {
      try context.requireConfidential(deployment)
    } catch {
      // git asks every helper about every server a person talks to.
      var failure = error
      failure.isSilent = context.environment.isGitsChain
      throw failure
    }
  }
}
