extension ToolConfiguration {
  /// cargo: we are asked for every registry that wants a token, and pass over those that are not ours.
  static func cargo(_ request: ConfigurationRequest) throws -> ToolConfiguration {
    let provider = try request.program(CargoProtocol.name).word
    guard provider.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x22 && $0 != 0x5C }) else {
      throw Failure(.fixTheCall, "cargo splits \(provider) at its blanks")
    }
    let path = try request.path("config.toml", in: "CARGO_HOME", below: ".cargo")
    return ToolConfiguration(changes: [.file(path, [CargoProvider(provider: provider)])])
  }
}
