import ArgumentParser
import Credentials
import Sessions

/// `use`: which deployment is meant when none is named.
struct UseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "use",
    abstract: "Make a deployment the default one, or print which one is.",
    discussion: "CODER_URL, where it is set, still comes first.")

  @Argument(help: "The deployment (without it: print the present one).", completion: .deployments)
  var url: String?

  @Flag(help: "Even if nobody is signed in there.")
  var force = false

  @Flag(help: "Print a JSON object.")
  var json = false

  private struct Output: Encodable {
    let default_deployment: String?
  }

  func run() throws {
    let context = CommandContext()
    if let url {
      let deployment = try Deployment(url: url)
      try use(deployment, context)
      try show(deployment.url)
    } else {
      try show(context.settings().text("default-deployment", for: nil))
    }
    if let named = context.environment["CODER_URL"] {
      Terminal.say("CODER_URL comes first here: \(named)")
    }
  }

  private func use(_ deployment: Deployment, _ context: CommandContext) throws {
    try context.requireConfidential(deployment)
    if !force {
      let entries = try context.store.entries(of: deployment)
      guard entries.contains(where: \.mayHoldToken) else {
        throw Failure.signIn(to: deployment, "nobody is signed in to \(deployment.url)")
      }
    }
    guard let path = Settings.path(context.environment) else {
      throw Failure(
        .fixTheCall, "there is no place for the configuration", hint: "set HOME or XDG_CONFIG_HOME")
    }
    try SettingsFile(path: path).set("default-deployment", to: deployment.url)
  }

  private func show(_ url: String?) throws {
    if json {
      try Terminal.showJSON(Output(default_deployment: url))
    } else if let url {
      Terminal.show(Terminal.clean(url) + "\n")
    } else {
      Terminal.say("No default deployment is set.")
    }
  }
}
