import Credentials

extension ToolConfiguration {
  /// Claude Code: its models through the deployment's AI Gateway, with our token as the key, and the
  /// deployment's MCP server.
  ///
  /// It runs us again after a 401, and must not get the refused token a second time.
  ///
  /// The key is never configured without the address that it is for: it would be sent to another.
  static func claude(_ request: ConfigurationRequest) throws -> ToolConfiguration {
    let program = try request.program().word.shellWord
    let deployment = try request.deployment()
    let url = deployment.url
    let gateway = "/api/v2/aibridge/anthropic"
    let settings = try request.path("settings.json", in: "CLAUDE_CONFIG_DIR", below: ".claude")
    let state =
      try request.environment.directory("CLAUDE_CONFIG_DIR").map { "\($0)/.claude.json" }
      ?? "\(request.home())/.claude.json"
    let server =
      "{ \"type\": \"http\", \"url\": \(jsonString("\(url)/api/experimental/mcp/http")), "
      + "\"headersHelper\": \(jsonString("\(program) header --format json --verify")) }"
    return ToolConfiguration(
      changes: [
        .file(
          settings,
          [
            Gateway(
              address: JSONMember(
                path: ["env", "ANTHROPIC_BASE_URL"], value: jsonString("\(url)\(gateway)"),
                isOurs: { $0.hasSuffix("\(gateway)\"") }),
              key: JSONMember(
                path: ["apiKeyHelper"], value: jsonString("\(program) token \(url) --verify"),
                isOurs: isOurCommand))
          ]),
        .file(
          state,
          [
            JSONMember(path: ["mcpServers", "coder"], value: server, isOurs: isOurCommand)
          ]),
      ],
      notes: [
        "Claude Code's requests to models go through \(deployment.name) from now on, which must "
          + "have the AI Gateway."
      ])
  }

  /// The AI Gateway's address and the key for it: the address is ours as long as the key is.
  private struct Gateway: FileEdit {
    let address: JSONMember
    let key: JSONMember

    var shown: String { "\(address.shown)\n\(key.shown)" }

    func made(in content: [UInt8]) throws(EditProblem) -> [UInt8] {
      try key.made(in: address.made(in: content))
    }

    func unmade(in content: [UInt8]) throws(EditProblem) -> [UInt8] {
      let others = try key.unmade(in: content)
      return others == content ? content : try address.unmade(in: others)
    }

    func isEmpty(_ content: [UInt8]) -> Bool { key.isEmpty(content) }
  }
}
