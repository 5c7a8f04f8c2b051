import Credentials

/// Bazel's credential helper (EngFlow's credential-helper-spec): `get`, with a JSON object that holds
/// the URI on standard input.
enum BazelProtocol: ToolProtocol {
  static let name = "bazel-credential-coder-cred"

  struct Request: Decodable {
    let uri: String
  }

  static func run(_ arguments: [String]) -> Int32 {
    do {
      guard arguments == ["get"] else {
        throw Failure(.fixTheCall, "usage: \(name) get, with {\"uri\":…} on standard input")
      }
      var input = ToolInput()
      let server = try server(of: input.json(Request.self).uri)
      let context = CommandContext()
      // The specification: an unsupported URI "SHOULD" be an error.
      guard let session = try context.session(at: server) else {
        throw Failure.nobodySignedIn(to: server, as: nil)
      }
      try context.output(session, as: .header(.bazel))
      return 0
    } catch {
      return fail(failure(of: error))
    }
  }

  /// gRPC over TLS is https to whoever hands out the token.
  static func server(of uri: String) throws -> Deployment {
    let isSecureGRPC = uri.utf8.starts(with: "grpcs://".utf8)
    return try Deployment(server: isSecureGRPC ? "https" + uri.dropFirst("grpcs".count) : uri)
  }
}
