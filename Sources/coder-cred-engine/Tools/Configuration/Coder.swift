import Credentials

extension ToolConfiguration {
  /// The Coder CLI: it has no setting that gives it a token anew, so the shell runs it with one.
  static func coder(_ request: ConfigurationRequest) throws -> ToolConfiguration {
    let program = try request.program().word.shellWord
    let url = try request.url.map { " --url \(try Deployment(url: $0).url)" } ?? ""
    let run = "\(program) exec\(url) -- coder"
    let shell = request.environment["SHELL"] ?? "/bin/sh"
    let (path, line): (String, String)
    if shell.hasSuffix("/fish") {
      let directory =
        try request.environment.directory("XDG_CONFIG_HOME", below: ".config")
        ?? request.home() + "/.config"
      path = request.file ?? "\(directory)/fish/config.fish"
      line = "function coder --wraps coder; \(run) $argv; end"
    } else {
      let directory = try request.environment.directory("ZDOTDIR") ?? request.home()
      path =
        try request.file
        ?? (shell.hasSuffix("/zsh")
          ? "\(directory)/.zshrc"
          : "\(request.home())/\(shell.hasSuffix("/bash") ? ".bashrc" : ".profile")")
      line = "coder() { \(run) \"$@\"; }"
    }
    return ToolConfiguration(
      changes: [.file(path, [MarkedBlock(name: "coder", lines: [line])])],
      notes: ["It holds for shells that are started from now on."])
  }
}
