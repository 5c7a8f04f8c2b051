import Credentials
import Secrets

/// Terraform's credentials helper: `get`, `store` and `forget` for one host.
///
/// A host's token is a deployment's own, or one that `terraform login` gave us to keep.
enum TerraformProtocol: ToolProtocol {
  static let name = "terraform-credentials-coder-cred"

  static func run(_ arguments: [String]) -> Int32 {
    do {
      guard arguments.count >= 2 else {
        throw Failure(.fixTheCall, "usage: \(name) [options] get|store|forget HOST")
      }
      let (verb, host) = (arguments[arguments.count - 2], arguments[arguments.count - 1])
      let server = try server(named: host)
      let context = CommandContext()
      let credentials = ToolCredentials(context: context, tool: "terraform")
      switch verb {
      case "get": try get(server, arguments.dropLast(2), context, credentials)
      case "store": try store(server, context, credentials)
      // "Forget" succeeds where there is nothing to forget.
      case "forget": _ = try credentials.forget(server)
      default: throw Failure(.fixTheCall, "there is no operation \(verb)")
      }
      return 0
    } catch {
      return fail(failure(of: error))
    }
  }

  private static func get(
    _ server: Deployment, _ options: ArraySlice<String>, _ context: CommandContext,
    _ credentials: ToolCredentials
  ) throws {
    if let kept = try credentials.kept(for: server) {
      try Terminal.output("{\"token\":\(kept.accessToken.jsonString)}\n")
    } else if let session = try context.session(at: server, Array(options)) {
      let token = try Credential(session).token()
      try Terminal.output("{\"token\":\(token.jsonString)}\n")
    } else {
      try Terminal.show("{}\n")
    }
  }

  private static func store(
    _ server: Deployment, _ context: CommandContext, _ credentials: ToolCredentials
  ) throws {
    var input = ToolInput()
    let object = try input.json([String: String].self)
    // What we cannot keep must not be taken for kept.
    guard object.count == 1, let token = object["token"].map({ Secret($0) }), !token.isEmpty else {
      throw Failure(.fixTheInput, "only an object with a token alone can be kept")
    }
    // A deployment's own token comes back from `terraform login`, and is kept already.
    if let session = try? context.session(at: server, ["--no-refresh"]),
      session.accessToken == token
    {
      return
    }
    try credentials.keep(token, of: "", for: server)
  }

  static func server(named host: String) throws -> Deployment {
    let server = try Deployment(url: "https://\(host)")
    guard server.path.isEmpty else { throw Failure(.fixTheCall, "a host name has no path") }
    return server
  }
}
