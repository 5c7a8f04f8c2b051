import Credentials

extension ToolConfiguration {
  /// Codex: the deployment's AI Gateway as a provider of models, whose token is ours; the default
  /// one, unless another is chosen. It runs us again after a 401.
  static func codex(_ request: ConfigurationRequest) throws -> ToolConfiguration {
    let program = try request.program().word
    let url = try request.deployment().url
    let path = try request.path("config.toml", in: "CODEX_HOME", below: ".codex")
    let provider = MarkedBlock(
      name: "codex",
      lines: [
        "[model_providers.coder]",
        "name = \"Coder\"",
        "base_url = \(jsonString("\(url)/api/v2/aibridge/openai/v1"))",
        "wire_api = \"responses\"",
        "requires_openai_auth = false",
        "[model_providers.coder.auth]",
        "command = \(jsonString(program))",
        "args = [\"token\", \(jsonString(url)), \"--verify\"]",
        "timeout_ms = 5000",
        "refresh_interval_ms = 300000",
      ],
      check: { others throws(EditProblem) in
        if try TOMLLayout(others).defines(["model_providers", "coder"]) {
          throw .taken("model_providers.coder")
        }
      })
    return ToolConfiguration(changes: [.file(path, [DefaultProvider(), provider])])
  }

  /// The default provider, where the person has chosen none.
  private struct DefaultProvider: FileEdit {
    private let block = MarkedBlock(
      name: "codex (default)", lines: ["model_provider = \"coder\""], place: .start)

    var shown: String { block.shown }

    func made(in content: [UInt8]) throws(EditProblem) -> [UInt8] {
      let others = try block.unmade(in: content)
      return try TOMLLayout(others).defines(["model_provider"]) ? content : block.made(in: content)
    }

    func unmade(in content: [UInt8]) throws(EditProblem) -> [UInt8] {
      try block.unmade(in: content)
    }
  }
}
