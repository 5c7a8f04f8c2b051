import ArgumentParser
import Credentials
import FoundationEssentials

/// `use`: which deployment is meant when none is named.
struct UseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "use",
    abstract: "Make a deployment the default one, or print which one is.",
    discussion: "CODER_URL, where it is set, still comes first.")

  @Argument(help: "The deployment (without it: print the present one).")
  var url: String?

  @Flag(help: "Even if nobody is signed in there.")
  var force = false

  @Flag(help: "Print a JSON object.")
  var json = false

  private struct Answer: Encodable {
    let default_deployment: String?
  }

  func run() throws {
    let context = CommandContext()
    if let url {
      let deployment: Deployment
      do throws(MalformedInput) { deployment = try Deployment(url: url) } catch {
        throw Failure(error)
      }
      try use(deployment, context)
      try show(deployment.url)
    } else {
      try show(context.configuration().text("default-deployment", for: nil))
    }
    if let named = context.environment["CODER_URL"] {
      Terminal.say("CODER_URL comes first here: \(named)")
    }
  }

  private func use(_ deployment: Deployment, _ context: CommandContext) throws(Failure) {
    try context.requireConfidential(deployment)
    if !force {
      let entries = try context.keyring { store throws(StoreError) in
        try store.entries(of: deployment)
      }
      guard entries.contains(where: \.mayHoldToken) else {
        throw .signIn(to: deployment, "nobody is signed in to \(deployment.url)")
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
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.withoutEscapingSlashes]
      let text = String(
        decoding: try encoder.encode(Answer(default_deployment: url)), as: UTF8.self)
      Terminal.show(text + "\n")
    } else if let url {
      Terminal.show(Terminal.clean(url) + "\n")
    } else {
      Terminal.say("No default deployment is set.")
    }
  }
}
