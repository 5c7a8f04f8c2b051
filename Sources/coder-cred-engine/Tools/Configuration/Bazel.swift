import Credentials

extension ToolConfiguration {
  /// Bazel: a credential helper for one host. It is run without arguments.
  static func bazel(_ request: ConfigurationRequest) throws -> ToolConfiguration {
    let program = try request.program(BazelProtocol.name).path
    let host = try request.deployment().host
    let line = "common --credential_helper=\(host)=\(program)"
    // bazelrc: words are split as a shell does.
    let word = program.contains(where: { " \"'\\#".contains($0) }) ? "'\(line.dropFirst(7))'" : nil
    let path = try request.path(below: ".bazelrc")
    return ToolConfiguration(changes: [
      .file(
        path, [MarkedBlock(name: "bazel", lines: [word.map { "common \($0)" } ?? line])])
    ])
  }
}
