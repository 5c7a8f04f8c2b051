extension ToolConfiguration {
  /// Go: we are asked for every module server, and pass over those that are not ours.
  static func go(_ request: ConfigurationRequest) throws -> ToolConfiguration {
    let command = "\(try request.program().word.shellWord) header --format goauth"
    guard !command.contains(";") else {
      throw Failure(.fixTheCall, "Go splits \(command) at its semicolon")
    }
    let named = request.environment["GOENV"].flatMap { $0 == "off" ? nil : $0 }
    let path = try named ?? request.path("go/env", in: "XDG_CONFIG_HOME", below: ".config")
    return ToolConfiguration(
      changes: [.file(request.file ?? path, [GoVariable(command: command)])],
      notes: ["Go 1.24 and later read it."])
  }
}
