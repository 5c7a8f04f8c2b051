import Credentials
import Secrets

/// How one tool is told to ask us.
struct ToolConfiguration {
  /// A change to what the tool reads.
  enum Change {
    /// To a file at this path.
    case file(String, [any FileEdit])
    /// A symbolic link at this path, to this program.
    case link(String, to: String)
  }

  /// The changes, in the order in which they are shown and made.
  var changes: [Change]
  /// What a person should know besides.
  var notes: [String] = []
}

/// What a configuration is made for.
struct ConfigurationRequest {
  let context: CommandContext
  /// The deployment's URL that was given, or nil.
  let url: String?
  /// The file to change instead of the usual one, or nil.
  let file: String?
  /// Whether git shall ask us before its other helpers.
  let isFirst: Bool
  /// Whether the changes are to be taken away, for which no deployment need be known.
  let isUnset: Bool

  var environment: Environment { context.environment }

  /// One of our programs as the tool is to run it; what is taken away may be gone by now.
  func program(_ name: String = "coder-cred") throws(Failure) -> OwnProgram {
    try isUnset ? OwnProgram(word: name, path: name) : OwnProgram(name, environment)
  }

  /// The deployment that a tool is to be told of.
  func deployment() throws -> Deployment {
    if isUnset {
      let named = try? DeploymentChoice.named(url, setting: nil) { environment[$0] }
      return try named ?? Deployment(url: "https://unset.invalid")
    }
    let deployment = try context.deployment(named: url)
    try context.requireHTTP(deployment)
    return deployment
  }

  /// The file that was given, or this one below the home directory.
  func path(below home: String) throws(Failure) -> String {
    if let file { return file }
    return try self.home() + "/" + home
  }

  /// The file that was given, or this one in a directory that a variable names, or in its default
  /// below the home directory.
  func path(
    _ name: String, in variable: String, below home: String
  ) throws(Failure) -> String {
    if let file { return file }
    if let directory = environment.directory(variable) { return "\(directory)/\(name)" }
    return try "\(self.home())/\(home)/\(name)"
  }

  func home() throws(Failure) -> String {
    guard let home = environment.directory("HOME") else {
      throw Failure(.fixTheCall, "there is no home directory", hint: "set HOME")
    }
    return home
  }
}

/// The tools that can be configured.
enum ConfigurableTool: String, CaseIterable {
  case git, coder, vscode, claude, codex, cargo, go, bazel, terraform, docker

  /// What makes this tool ask us.
  func configuration(_ request: ConfigurationRequest) throws -> ToolConfiguration {
    switch self {
    case .git: try .git(request)
    case .coder: try .coder(request)
    case .vscode: try .vscode(request)
    case .claude: try .claude(request)
    case .codex: try .codex(request)
    case .cargo: try .cargo(request)
    case .go: try .go(request)
    case .bazel: try .bazel(request)
    case .terraform: try .terraform(request)
    case .docker: try .docker(request)
    }
  }
}

/// A JSON string, with its quotation marks.
func jsonString(_ text: String) -> String { "\"\(ForeignText.jsonString(text))\"" }

/// Whether a JSON value is a command that runs us.
func isOurCommand(_ json: String) -> Bool { json.contains("coder-cred") }
