import Credentials

extension ToolConfiguration {
  /// git: a credential helper for every server, or for one deployment alone; after the helpers that
  /// are there, or before them.
  static func git(_ request: ConfigurationRequest) throws -> ToolConfiguration {
    let helper = (try? request.program("git-credential-coder-cred"))
      .flatMap { $0.word == "git-credential-coder-cred" ? "coder-cred" : nil }
    let value = try helper ?? request.program().word.shellWord
    let section: String
    if let url = request.url {
      section = "[credential \"\(try Deployment(url: url).url)\"]"
    } else {
      section = "[credential]"
    }
    let quoted = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    let path = try request.file ?? file(request)
    let block = MarkedBlock(
      name: "git", lines: [section, "    helper = \"\(quoted)\""],
      place: request.isFirst ? .start : .end,
      check: { others throws(EditProblem) in try check(others, path, request.environment) })
    return ToolConfiguration(changes: [.file(path, [block])])
  }

  /// git-config(1), FILES: `~/.gitconfig`, unless only the one among the configurations exists.
  private static func file(_ request: ConfigurationRequest) throws(Failure) -> String {
    if let file = request.environment["GIT_CONFIG_GLOBAL"] { return file }
    let home = try "\(request.home())/.gitconfig"
    let other = request.environment.directory("XDG_CONFIG_HOME", below: ".config")
      .map { "\($0)/git/config" }
    if let other, FileIdentity(path: home) == nil, FileIdentity(path: other) != nil { return other }
    return home
  }

  /// git itself says whether it can read its file.
  private static func check(
    _ others: [UInt8], _ path: String, _ environment: Environment
  ) throws(EditProblem) {
    guard !others.isEmpty, FileIdentity(path: path) != nil else { return }
    guard let git = ChildProgram.executable(named: "git", environment) else {
      throw EditProblem("git is not installed")
    }
    let words = ["git", "config", "--file", path, "--list"]
    let output = ChildProgram(executable: git, words: words, variables: environment.variables)
      .output(milliseconds: 5000, limit: 8 << 20)
    guard output != nil else { throw EditProblem("git cannot read it") }
  }
}
