import ArgumentParser
import Credentials
import Sessions

/// `use`: which deployment, and which of its accounts, is meant when none is named.
struct UseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "use",
    abstract: "Choose the default deployment and its active account, or print them.",
    discussion: """
      The active account of a deployment is the one that signed in last, unless --account chooses \
      another; one whose session is gone or has ended does not count. CODER_URL, where it is set, \
      comes before the default deployment, and --account before the active account.
      """)

  @Argument(
    help: "The deployment (without it: print the present choice).", completion: .deployments)
  var url: String?

  @Option(
    help: ArgumentHelp("Make this the deployment's active account.", valueName: "name"),
    completion: .accounts)
  var account: String?

  @Flag(help: "Choose nothing any more: no default deployment, or nothing about URL.")
  var unset = false

  @Flag(help: "Even if nobody is signed in there.")
  var force = false

  @Flag(help: "Print a JSON object.")
  var json = false

  private struct Output: Encodable {
    let default_deployment: String?
    let account: String?
  }

  mutating func validate() throws {
    if unset && account != nil { throw ValidationError("--unset and --account exclude each other") }
    if account?.isEmpty ?? false { throw ValidationError("--account needs a name") }
  }

  func run() throws {
    let context = CommandContext()
    if unset {
      try forget(context)
    } else if url == nil, let account {
      try choose(account, at: context.deployment(named: nil), context)
    } else if let url {
      try use(Deployment(url: url), context)
    } else {
      try showPresent(context)
    }
    if let named = context.environment["CODER_URL"] {
      Terminal.say("CODER_URL comes first here: \(named)")
    }
  }

  private func use(_ deployment: Deployment, _ context: CommandContext) throws {
    try context.requireConfidential(deployment)
    if !force { try requireSession(at: deployment, context) }
    let former = try context.defaultDeployment()
    let file = try context.settingsFile()
    try file.set(Settings.defaultDeployment, to: deployment.url)
    if let account { try file.set(Settings.account, to: account, for: deployment) }
    let active = try account ?? context.activeAccount(of: deployment)
    try show(deployment.url, active)
    // Who chooses an account may not expect that it chooses the deployment, too.
    if account != nil, former != deployment.url {
      Terminal.say(
        "It is now the default deployment"
          + (former.map { "; before it was \($0): coder-cred use \($0)" } ?? "") + ".")
    }
  }

  private func choose(
    _ account: String, at deployment: Deployment, _ context: CommandContext
  ) throws {
    if !force { try requireSession(at: deployment, context) }
    try context.settingsFile().set(Settings.account, to: account, for: deployment)
    try show(deployment.url, account)
  }

  /// Refuses a choice that would mean nobody.
  private func requireSession(at deployment: Deployment, _ context: CommandContext) throws {
    let entries = try context.store.entries(of: deployment).filter(\.mayHoldToken)
    guard !entries.isEmpty else {
      throw Failure.signIn(to: deployment, "nobody is signed in to \(deployment.url)")
    }
    guard let account else { return }
    guard let entry = entries.first(where: { $0.account == account }) else {
      // A keyring that was never unlocked does not tell whose its items are.
      if entries.contains(where: { $0.lock != nil && $0.account.isEmpty }) {
        throw StoreError.locked
      }
      throw Failure.signIn(
        to: deployment, as: account, "\(account) is not signed in to \(deployment.url)")
    }
    if case .session(let session) = entry.content, session.hasEnded(now: context.clock.now) {
      throw SessionError.signInNeeded(session.identity, .ended)
    }
  }

  private func forget(_ context: CommandContext) throws {
    let file = try context.settingsFile()
    let former = try context.defaultDeployment()
    guard let url else {
      try file.set(Settings.defaultDeployment, to: nil)
      Terminal.say(
        former.map { "\($0) is no longer the default deployment." }
          ?? "No default deployment is set.")
      return
    }
    let deployment = try Deployment(url: url)
    try file.set(Settings.account, to: nil, for: deployment)
    if try former.map({ try Deployment(url: $0) }) == deployment {
      try file.set(Settings.defaultDeployment, to: nil)
    }
    Terminal.say("Nothing is chosen for \(deployment.url) any more.")
  }

  private func showPresent(_ context: CommandContext) throws {
    guard let url = try context.defaultDeployment() else { return try show(nil, nil) }
    let deployment = try? Deployment(url: url)
    try show(url, deployment.flatMap { try context.activeAccount(of: $0) })
    // The keyring may be out of reach; what is set was shown.
    if let deployment, let entries = try? context.store.entries(of: deployment), entries.isEmpty {
      Terminal.say(
        "Nobody is signed in there. To sign in: coder-cred login \(url); for no default: "
          + "coder-cred use --unset")
    }
  }

  private func show(_ url: String?, _ account: String?) throws {
    if json {
      try Terminal.showJSON(Output(default_deployment: url, account: account))
    } else if let url {
      try Terminal.show(Terminal.clean(url) + "\n")
      if let account { Terminal.say("Its active account is \(account).") }
    } else {
      Terminal.say("No default deployment is set.")
    }
  }
}
