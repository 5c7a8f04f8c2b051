import ArgumentParser
import Credentials
import Secrets
import Sessions

/// `import`: the Coder CLI's plaintext session moves into the keyring.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Take over the Coder CLI's session, which lies in a file, into the keyring.",
    discussion: """
      The token is verified first. On a terminal you are asked whether to remove the file; \
      elsewhere only --remove does. An OAuth session is never replaced by it.
      """)

  @Option(
    name: .customLong("config-dir"),
    help: ArgumentHelp(
      "The CLI's directory (default: CODER_CONFIG_DIR, else coderv2 among the configurations).",
      valueName: "dir"))
  var directory: String?

  @Flag(help: "Remove the file with the token once it is taken over.")
  var remove = false

  @Flag(help: "Print a JSON object, and ask nothing.")
  var json = false

  /// What was done, as `--json` shows it.
  private struct Outcome: Encodable {
    var deployment: String?
    var account: String?
    var imported = false
    var removed = false
  }

  func run() throws {
    let context = CommandContext()
    var outcome = Outcome()
    guard let files = CoderCLIFiles(directory, context.environment),
      let found = try files.session()
    else {
      let files = CoderCLIFiles(directory, context.environment)
      let place = files.map { " There is no url and session in \($0.path)." } ?? ""
      Terminal.say("The Coder CLI is not signed in; there is nothing to import.\(place)")
      try show(outcome)
      return
    }
    let deployment = try deployment(found.url, context)
    // What cannot be kept need not be verified.
    context.store.allowPrompts()
    _ = try context.store.sessions(of: deployment, account: nil)
    let account = try account(of: found.token, deployment, context)
    outcome.deployment = deployment.url
    outcome.account = account
    outcome.imported = try keep(found.token, deployment, account, context)
    if try remove || mayRemove(files) {
      do {
        try files.removeSession(found.file)
        outcome.removed = true
        Terminal.say("Removed \(files.sessionPath).")
      } catch {
        try show(outcome)
        throw error
      }
    } else {
      Terminal.say("The token still lies in \(files.sessionPath), readable by every program.")
    }
    try show(outcome)
  }

  private func deployment(_ url: String, _ context: CommandContext) throws -> Deployment {
    let deployment = try Deployment(url: url)
    try context.requireHTTP(deployment)
    try context.requireConfidential(deployment)
    return deployment
  }

  private func account(
    of token: Secret, _ deployment: Deployment, _ context: CommandContext
  ) throws -> String {
    let line = ProgressLine("Asking \(deployment.url) whose token it is", context.environment)
    defer { line?.end() }
    switch try context.services().api(of: deployment).check(token) {
    case .works(let account): return account ?? ""
    case .rejected:
      throw Failure(
        .signInAgain, "\(deployment.url) no longer accepts the Coder CLI's token",
        hint: "coder-cred login \(deployment.url)")
    case .unclear(let status):
      throw Failure(
        .fixTheServer, "\(deployment.url) does not say whose the token is (HTTP \(status))")
    case .noResponse(let reason): throw Failure(reason, at: deployment)
    }
  }

  /// Keeps the token as a session, unless there is something better or something of git's.
  private func keep(
    _ token: Secret, _ deployment: Deployment, _ account: String, _ context: CommandContext
  ) throws -> Bool {
    var session = StoredSession(
      deployment: deployment, account: account, method: .token, accessToken: token)
    let api = try context.services().api(of: deployment, urgency: .personWaits)
    if let key = api.keptKey(of: token) { session.note(key) }
    let who = account.isEmpty ? deployment.url : "\(account) at \(deployment.url)"
    return try context.services().withLock(of: session) { store throws(StoreError) in
      switch try store.session(like: session)?.method {
      case .oauth:
        Terminal.say("There is an OAuth session of \(who), which is better; it stays as it is.")
        return false
      case .basic:
        Terminal.say("There is a password of \(who), kept for git; it stays as it is.")
        return false
      case .token, nil:
        try store.save(session)
        Terminal.say("Imported the session of \(who).")
        return true
      }
    }
  }

  private func mayRemove(_ files: CoderCLIFiles) throws(Failure) -> Bool {
    guard !json, Terminal.isInteractive else { return false }
    return try Terminal.ask("Remove the token from \(files.sessionPath)? [y/N] ").hasPrefix("y")
  }

  private func show(_ outcome: Outcome) throws {
    guard json else { return }
    try Terminal.showJSON(outcome)
  }
}
