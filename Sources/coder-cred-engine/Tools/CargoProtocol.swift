import Credentials
import FoundationEssentials
import Secrets

/// cargo's credential provider: one JSON object a line, in both directions, until cargo closes its
/// end ("The Cargo Book", Credential Provider Protocol).
///
/// What goes wrong is a line as well; the exit status is 0.
enum CargoProtocol: ToolProtocol {
  static let name = "cargo-credential-coder-cred"

  struct Request: Decodable {
    struct Registry: Decodable {
      let indexURL: String

      enum CodingKeys: String, CodingKey { case indexURL = "index-url" }
    }

    let v: Int
    let registry: Registry
    let kind: String
    let token: String?
    let args: [String]?
  }

  /// cargo's kinds of error: with the first two it asks the next provider.
  private enum Problem: String, Error {
    case notSupported = "url-not-supported"
    case notFound = "not-found"
    case unknownOperation = "operation-not-supported"
  }

  static func run(_ arguments: [String]) -> Int32 {
    do {
      guard arguments == ["--cargo-plugin"] else {
        throw Failure(.fixTheCall, "\(name) is run by cargo, with --cargo-plugin")
      }
      try Terminal.output("{\"v\":[1]}\n")
      let context = CommandContext()
      var input = ToolInput()
      while let line = try input.line() { try Terminal.output(response(to: line, context)) }
      return 0
    } catch {
      return fail(failure(of: error))
    }
  }

  private static func response(to line: [UInt8], _ context: CommandContext) -> Secret {
    do {
      guard let request = try? JSONDecoder().decode(Request.self, from: Data(line)), request.v == 1
      else { throw Failure(.fixTheInput, "the request is not one of cargo's protocol version 1") }
      return "{\"Ok\":\(try carryOut(request, context))}\n"
    } catch let problem as Problem {
      return "{\"Err\":{\"kind\":\"\(problem.rawValue)\"}}\n"
    } catch {
      let failure = failure(of: error)
      SignInNotice(environment: .ofThisProcess).announce(failure)
      let text = Secret(failure.message + (failure.hint.map { "; \($0)" } ?? ""))
      return "{\"Err\":{\"kind\":\"other\",\"message\":\(text.jsonString),\"caused-by\":[]}}\n"
    }
  }

  private static func carryOut(_ request: Request, _ context: CommandContext) throws -> Secret {
    guard let server = try? Deployment(server: request.registry.indexURL) else {
      throw Problem.notSupported
    }
    let credentials = ToolCredentials(context: context, tool: "cargo")
    switch request.kind {
    case "get": return try get(server, request.args ?? [], context, credentials)
    case "login":
      // Without a token there is nothing to keep, but somebody may be signed in to the deployment.
      if let token = request.token.map({ Secret($0) }), !token.isEmpty {
        try credentials.keep(token, of: "", for: server)
      } else if try context.session(at: server, request.args ?? []) == nil {
        throw Failure(
          .fixTheCall, "there is no token to keep for \(server.url)",
          hint: "give cargo login the token on standard input, or: coder-cred login URL")
      }
      return "{\"kind\":\"login\"}"
    case "logout":
      guard try credentials.forget(server) else { throw Problem.notFound }
      return "{\"kind\":\"logout\"}"
    default: throw Problem.unknownOperation
    }
  }

  /// The token is the whole value of the field `Authorization`. It serves every operation.
  private static func get(
    _ server: Deployment, _ options: [String], _ context: CommandContext,
    _ credentials: ToolCredentials
  ) throws -> Secret {
    let (value, expiresAt): (Secret, Int64?)
    if let kept = try credentials.kept(for: server) {
      (value, expiresAt) = (kept.accessToken, nil)
    } else if let session = try context.session(at: server, options) {
      (value, expiresAt) = (try Credential(session).authorization(), session.expiresAt)
    } else {
      throw Problem.notSupported
    }
    let cache =
      expiresAt.map { "\"cache\":\"expires\",\"expiration\":\($0)" } ?? "\"cache\":\"session\""
    return """
      {"kind":"get","token":\(value.jsonString),\(Secret(cache)),"operation_independent":true}
      """
  }
}
