import ArgumentParser
import Credentials
import Sessions

/// `logout`: a person signs out.
struct LogoutCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logout",
    abstract: "Sign out: revoke the tokens, and remove them from this machine.",
    discussion: """
      What the deployment cannot be told is removed here all the same; then the exit status is 75 \
      (it did not answer) or 76 (it cannot revoke). A password kept for git is removed when nothing \
      else is stored for URL, or when --account names it.
      """)

  @Argument(
    help: "The deployment (default: CODER_URL, the default one, or the only one).",
    completion: .deployments)
  var url: String?

  @Flag(help: "Every account; without a URL, of every deployment.")
  var all = false

  @Option(help: ArgumentHelp("Sign this account out.", valueName: "name"), completion: .accounts)
  var account: String?

  @Flag(
    name: .customLong("keep-client"),
    help: "Keep this machine's registration for the next sign-in.")
  var keepClient = false

  @Flag(help: "Also revoke a token that was made elsewhere, such as the Coder CLI's.")
  var revoke = false

  @Flag(help: "Also remove keyring items that cannot be read; says what it removes.")
  var force = false

  mutating func validate() throws {
    if all && account != nil { throw ValidationError("--all and --account exclude each other") }
  }

  func run() throws {
    let context = CommandContext()
    context.store.allowPrompts()
    let logout = LogoutFlow(
      context: context, keepsRegistration: keepClient, revokesTokens: revoke,
      removesUnreadable: force)
    if all && url == nil {
      try logout.everywhere()
    } else if let deployment = try deployment(context) {
      try logout.from(deployment, account: account, all: all)
    } else {
      Terminal.say("Nobody is signed in.")
    }
    if url == nil && !all { try logout.sayWhatStays() }
  }

  /// Signing out is never refused for how a deployment would be reached: nothing is sent that the
  /// way there does not allow.
  private func deployment(_ context: CommandContext) throws -> Deployment? {
    if let url { return try Deployment(url: url) }
    if try isDefaultGone(context) { return nil }
    do {
      return try context.deployment(named: nil)
    } catch let failure as Failure where failure.remedy == .signInAgain {
      return nil
    }
  }

  /// Whether nobody is signed in anywhere, so that a default deployment means nobody.
  ///
  /// - Throws: when nobody is signed in to the default deployment, but elsewhere: what is left
  ///   without a URL is not signed out unasked, nor called nothing.
  private func isDefaultGone(_ context: CommandContext) throws -> Bool {
    guard context.isNamedBySettings, let url = try context.defaultDeployment(),
      let deployment = try? Deployment(url: url),
      try context.store.entries(of: deployment).isEmpty
    else { return false }
    let others = Set(try context.store.entries(of: nil).filter(\.mayHoldToken).map(\.deployment))
    guard let other = others.sorted().first else { return true }
    throw Failure(
      .fixTheCall,
      "nobody is signed in to the default deployment, \(url), but to \(others.sorted().joined(separator: ", "))",
      hint: "coder-cred logout \(other)")
  }
}
