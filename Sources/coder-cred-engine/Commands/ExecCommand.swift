import ArgumentParser
import Credentials
import Glibc
import Secrets

/// `exec`: a tool with a token in its environment.
struct ExecCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec",
    abstract: "Run a command with CODER_URL and CODER_SESSION_TOKEN set.",
    discussion: """
      The command takes our place: its exit status is ours. 126 and 127 say, as in a shell, that \
      it could not be run or found. The token is as it was at the start; it is not refreshed later.
      """)

  @OptionGroup var options: CredentialOptions

  @Argument(
    parsing: .postTerminator, help: ArgumentHelp("The command and its arguments, after --."))
  var command: [String] = []

  mutating func validate() throws {
    guard command.first.map({ !$0.isEmpty }) ?? false else {
      throw ValidationError("the command is missing: coder-cred exec -- COMMAND")
    }
  }

  func run() throws {
    let context = CommandContext()
    let session = try context.session(at: nil, options)
    guard session.method != .basic else {
      throw Failure.storedPassword
    }
    throw become(command, session)
  }

  /// Returns only when the command cannot be run.
  private func become(_ words: [String], _ session: StoredSession) -> Failure {
    CleanEnvironment.restore()
    setenv("CODER_URL", session.deployment.url, 1)
    setenv("CODER_SESSION_TOKEN", session.accessToken.revealed, 1)
    // Ignored signals stay ignored in what is executed; this one we ignore for ourselves alone.
    signal(SIGPIPE, SIG_DFL)
    var arguments = words.map { strdup($0) } + [nil]
    execvp(words[0], &arguments)
    let reason = errno
    var failure = Failure(
      .fixTheCall, "\(words[0]) cannot be run: \(String(cString: strerror(errno)))")
    failure.status = reason == ENOENT ? 127 : 126
    arguments.forEach { free($0) }
    return failure
  }
}
