import ArgumentParser
import Credentials
import Glibc
import Sessions

/// `configure`: a tool is told to ask us, in its own file.
struct ConfigureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "configure",
    abstract: "Make a tool ask coder-cred, in the tool's own configuration.",
    discussion: """
      What is added is shown. Whatever else the file holds stays as it is, byte for byte; a copy of \
      the file as it was lies beside it until --unset takes the addition away again. A file that is \
      malformed, read-only, or says something else already, is left alone.
      """)

  @Argument(help: "The tool.")
  var tool: ConfigurableTool

  @Option(
    help: ArgumentHelp(
      "The deployment, or docker's registry (default: as token).", valueName: "url"),
    completion: .deployments)
  var url: String?

  @Option(help: ArgumentHelp("Another file than the tool's usual one.", valueName: "path"))
  var file: String?

  @Flag(help: "git: ask coder-cred before the helpers that are there.")
  var first = false

  @Flag(help: "Take away what was added.")
  var unset = false

  @Flag(name: .customLong("print"), help: "Print what would be added, and change nothing.")
  var printsOnly = false

  func run() throws {
    let request = ConfigurationRequest(
      context: CommandContext(), url: url, file: file, isFirst: first, isUnset: unset)
    let configuration = try tool.configuration(request)
    if printsOnly {
      for change in configuration.changes { try Terminal.show(change.shown) }
      return
    }
    // Whatever can fail fails before anything is changed.
    let steps = try configuration.changes.map { try ConfigurationStep($0, isUnset: unset) }
    for step in steps { try step.carryOut() }
    let isChanged = steps.contains(where: \.isChange)
    guard isChanged && !unset else { return }
    for note in configuration.notes { Terminal.say(note) }
    // With the same options: without them another file or place may be meant.
    let options = [("url", url), ("file", file)].map { name, value in
      value.map { " --\(name) \($0)" } ?? ""
    }
    Terminal.say("To undo it: coder-cred configure \(tool.rawValue)\(options.joined()) --unset")
  }
}

extension ConfigurableTool: ExpressibleByArgument {}

extension ToolConfiguration.Change {
  /// What is added, and where, as a person reads it.
  var shown: String {
    switch self {
    case .file(let path, let edits):
      let lines = edits.flatMap {
        $0.shown.split(separator: "\n", omittingEmptySubsequences: false)
      }
      return Terminal.clean("\(path):") + "\n"
        + lines.map { "  \(Terminal.clean(String($0)))\n" }.joined()
    case .link(let path, let program):
      return Terminal.clean("\(path):") + "\n" + Terminal.clean("  a link to \(program)") + "\n"
    }
  }
}
