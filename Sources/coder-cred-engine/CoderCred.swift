import ArgumentParser
import Credentials
import Glibc

/// The whole command.
struct CoderCred: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coder-cred",
    abstract: "Tokens for Coder deployments that always work, kept in your desktop's keyring.",
    discussion: """
      Sign in once with coder-cred login URL; from then on coder-cred get answers with a token \
      that works, refreshed when needed. An unknown word alone, with standard input from elsewhere \
      than a terminal, is passed over in silence: so git asks for what later versions know.
      """,
    version: "coder-cred \(Version.number)",
    subcommands: [FinishRefreshCommand.self, ShowNoticeCommand.self],
    groupedSubcommands: [
      CommandGroup(
        name: "For people",
        subcommands: [
          LoginCommand.self,
          LogoutCommand.self,
          ListCommand.self,
          StatusCommand.self,
          UseCommand.self,
          ConfigCommand.self,
          ImportCommand.self,
          ConfigureCommand.self,
          RefreshCommand.self,
          DoctorCommand.self,
          CallbackCommand.self,
        ]),
      CommandGroup(
        name: "For tools",
        subcommands: [
          GetCommand.self, TokenCommand.self, HeaderCommand.self, APICommand.self, ExecCommand.self,
          StoreCommand.self, EraseCommand.self,
          CapabilityCommand.self,
        ]),
    ])
}

extension CoderCred {
  /// Runs the command that this process was started for.
  ///
  /// - Returns: the exit status.
  static func run() -> Int32 {
    // Fast path and full program output the same bytes only if they were built from one version.
    // Programs that we start may be of another: unset.
    if let fastPath = getenv(Version.variable).map({ String(cString: $0) }), !fastPath.isEmpty,
      fastPath != Version.number
    {
      return end(
        with: Failure(
          .reportIt,
          "coder-cred \(fastPath) has started coder-cred-engine \(Version.number)",
          hint: "install coder-cred again, both programs from one package"))
    }
    unsetenv(Version.variable)

    let words = Array(CommandLine.arguments.dropFirst())
    if let tool = ToolProtocols.named(CommandLine.arguments.first ?? "") {
      return tool.run(words)
    }
    do {
      if try PlainCommand.run(words) { return 0 }
    } catch {
      return end(with: error, CommandLineArguments(words))
    }
    if let shell = CompletionScript.shell(in: words) {
      do throws(Failure) {
        return show(try CompletionScript.text(for: shell, .ofThisProcess) + "\n")
      } catch {
        return end(with: error)
      }
    }
    let arguments = CommandLineArguments(words)
    if arguments.words.isEmpty { return show(FirstScreen.text) }
    if arguments.isUnknownOperation && isatty(STDIN_FILENO) == 0 { return 0 }
    if let typed = arguments.unknownVerb {
      let nearest = arguments.nearestVerb.map { "; did you mean \($0)?" } ?? ""
      return end(
        with: Failure(
          .fixTheCall, "there is no command “\(Terminal.clean(typed))”\(nearest)",
          hint: "coder-cred --help"))
    }
    if arguments.isTerminatorMissing {
      return end(
        with: Failure(
          .fixTheCall, "-- is missing before the command", hint: "coder-cred exec -- COMMAND"))
    }
    do {
      if let option = arguments.optionWithoutValue {
        throw ValidationError("\(option) needs a \(option == "--account" ? "name" : "value")")
      }
      var command = try command(of: arguments)
      try command.run()
      return 0
    } catch {
      return end(with: error, arguments)
    }
  }

  /// The command that is to run. What git waits for is parsed without a look at all the others, which
  /// takes longer than the rest of our start; what is wrong with it, the whole command knows to say.
  private static func command(of arguments: CommandLineArguments) throws -> any ParsableCommand {
    let awaited: [String: any ParsableCommand.Type] = [
      "get": GetCommand.self, "store": StoreCommand.self, "erase": EraseCommand.self,
    ]
    if let verb = arguments.words.first, let type = awaited[verb],
      let command = try? type.parse(Array(arguments.words.dropFirst()))
    {
      return command
    }
    return try CoderCred.parseAsRoot(arguments.words)
  }

  private static func end(with error: any Error, _ arguments: CommandLineArguments) -> Int32 {
    if let failure = Failure(translating: error) { return end(with: failure) }
    if CoderCred.exitCode(for: error) == .success {
      return show(Charset.shown(CoderCred.fullMessage(for: error)) + "\n")
    }
    let help = arguments.knownVerb.map { "coder-cred \($0) --help" } ?? "coder-cred --help"
    let message = ParserMessage.oneLine(CoderCred.message(for: error))
    return end(with: Failure(.fixTheCall, message, hint: help))
  }

  private static func show(_ text: String) -> Int32 {
    do throws(Failure) { try Terminal.show(text) } catch { return end(with: error) }
    return 0
  }

  private static func end(with failure: Failure) -> Int32 {
    Terminal.report(failure)
    SignInNotice(environment: .ofThisProcess).announce(failure)
    return failure.exitStatus
  }
}
