import Credentials

/// Whether git lets anyone ask the person.
struct GitPrompts {
  let environment: Environment

  /// gitcredentials(7), git-config(1): `GIT_TERMINAL_PROMPT=0` and `credential.interactive=false`
  /// forbid it; `never` is how Git Credential Manager spells the latter.
  func areAllowed(for deployment: Deployment) -> Bool {
    if let prompt = environment["GIT_TERMINAL_PROMPT"], Self.isNo(prompt) { return false }
    guard let interactive = setting("credential.interactive", for: deployment) else { return true }
    return !Self.isNo(interactive) && interactive.lowercased() != "never"
  }

  /// A setting of git's as git itself reads it: from all its files, `-c` and the environment, for this
  /// very URL. Asked only when a person is about to be asked something, so a process more is cheap.
  func setting(_ name: String, for deployment: Deployment) -> String? {
    guard let git = ChildProgram.executable(named: "git", environment) else { return nil }
    let words = ["git", "config", "--get-urlmatch", name, deployment.url]
    let output = ChildProgram(executable: git, words: words, variables: environment.variables)
      .output(milliseconds: 5000)
    return output.map { String($0.prefix { $0 != "\n" }) }
  }

  /// git-config(1): "false … no, off, 0".
  private static func isNo(_ value: String) -> Bool {
    ["0", "false", "no", "off"].contains(value.lowercased())
  }
}
