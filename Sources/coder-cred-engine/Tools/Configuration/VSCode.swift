extension ToolConfiguration {
  /// Coder's extension for VS Code, which says for which deployment it asks (`CODER_URL`).
  static func vscode(_ request: ConfigurationRequest) throws -> ToolConfiguration {
    let command = "\(try request.program().word.shellWord) header"
    let path = try request.path(
      "Code/User/settings.json", in: "XDG_CONFIG_HOME", below: ".config")
    return ToolConfiguration(changes: [
      .file(
        path,
        [
          JSONMember(
            path: ["coder.headerCommand"], value: jsonString(command), allowsComments: true,
            isOurs: isOurCommand)
        ])
    ])
  }
}
