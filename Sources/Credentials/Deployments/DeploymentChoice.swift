/// Which deployment a caller means.
public enum DeploymentChoice {
  /// The variables by which a tool says for which server it runs a command: Claude Code's headers
  /// helpers, and cargo's `token-from-stdout`.
  private static let serverVariables = ["CLAUDE_CODE_MCP_SERVER_URL", "CARGO_REGISTRY_INDEX_URL"]

  /// The deployment that is named by an argument; else by the environment, whose variables are those
  /// of whoever asks; else by the person's settings.
  ///
  /// Who names a server means exactly that one, whether or not anything is stored for it.
  ///
  /// - Parameters:
  ///   - argument: the URL on the command line, or nil.
  ///   - setting: the setting `default-deployment`, or nil.
  ///   - variable: an environment variable's value; nil when it is unset or empty.
  /// - Returns: nil when nobody names one: the only one stored is meant.
  /// - Throws: ``MalformedInput/url(reason:)``.
  public static func named(
    _ argument: String?, setting: String?, variable: (String) -> String?
  ) throws(MalformedInput) -> Deployment? {
    if let argument { return try Deployment(url: argument) }
    for name in serverVariables {
      if let server = variable(name) { return try Deployment(server: server) }
    }
    guard let url = variable("CODER_URL") ?? setting else { return nil }
    return try Deployment(url: url)
  }
}

extension Deployment {
  /// Takes the URL of a server that may lie below a deployment, as an MCP server or a file does.
  ///
  /// What follows the path says what is asked of the server, not where it is.
  ///
  /// - Throws: ``MalformedInput/url(reason:)``.
  public init(server url: String) throws(MalformedInput) {
    let path = url.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    try self.init(url: String(Substring(path)))
  }
}
