import ArgumentParser
import Credentials
import Glibc

/// `get`: git's question, or anyone's.
struct GetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Print the credential for a deployment, refreshed when needed.",
    discussion: """
      Without a URL, git-credential attributes are read from standard input. A request that is \
      not for a deployment known here is passed over in silence.

      \(FormatArguments.explanation)
      """)

  @Argument(help: "The deployment; standard input is not read.", completion: .deployments)
  var url: String?

  @OptionGroup var options: CredentialOptions

  static let usualFormat = Credential.Format.git(authtype: true)
  @Option(help: "The form of the output.")
  var format = usualFormat

  @Flag(help: "Sign in through the browser if need be, unless git says not to ask.")
  var interactive = false

  func run() throws {
    let context = CommandContext()
    let onDemand = LoginOnDemand(context: context, isWanted: interactive)
    if url != nil || options.url != nil {
      // git names the server itself, whatever the words of its configuration say.
      guard url != nil || !context.environment.isGitsChain else {
        throw Failure(.fixTheCall, "git's helpers are asked for a server by git, not by --url")
      }
      let session = try onDemand.signingInIfNeeded {
        try context.session(at: url, options, as: format)
      }
      try context.output(session, as: format, to: options.account)
      return
    }
    if Terminal.isInteractive {
      Terminal.say(
        "Reading what is asked for, such as url=https://dev.coder.com, up to an empty line. "
          + "Or name the deployment: coder-cred get URL")
    }
    var request = try CredentialRequest(fromStandardInput: context)
    request.username = request.username ?? options.account
    var written = format
    // What git understands, it says itself where it can.
    if case .git = format { written = request.gitFormat } else { request.takesAnyForm() }
    let session: StoredSession?
    do {
      session = try onDemand.signingInIfNeeded { [request, written] in
        try context.session(for: request, options, as: written)
      }
    } catch {
      try stopGit(because: error, written, context)
      throw error
    }
    guard let session else {
      return UnansweredRequest(context: context).explain(request.deployment)
    }
    try context.output(session, as: written, to: request.username)
  }
}

extension GetCommand {
  /// Tells git to ask neither other helpers nor the person, where only a new sign-in helps: a user
  /// name and a password open no deployment.
  ///
  /// gitcredentials(7): "If a helper outputs a `quit` attribute with a value of `true` or `1`, no
  /// further helpers will be consulted, nor will the user be prompted".
  private func stopGit(
    because error: any Error, _ format: Credential.Format, _ context: CommandContext
  ) throws {
    guard case .git = format, context.environment.isGitsChain,
      Failure(translating: error)?.remedy == .signInAgain
    else { return }
    try Terminal.show("quit=1\n")
  }
}

extension CredentialRequest {
  /// Reads the request a caller sends, and refuses one that would send a secret readably.
  init(fromStandardInput context: CommandContext) throws {
    guard let bytes = CredentialRequest.read(from: STDIN_FILENO) else {
      throw Failure(.fixTheInput, "standard input cannot be read")
    }
    // git asks every helper about every server a person talks to.
    let isGitsChain = context.environment.isGitsChain
    do throws(MalformedInput) {
      try self.init(parsing: bytes)
    } catch {
      guard case .url = error, isGitsChain, var failure = Failure(translating: error) else {
        throw error
      }
      failure.isSilent = true
      throw failure
    }
    do throws(Failure) {
      try context.requireConfidential(deployment)
    } catch {
      // git itself sends a password over http, to a proxy for one, whether we keep it or not.
      guard isGitsChain else { throw error }
      isForPasswordAlone = true
    }
  }
}
