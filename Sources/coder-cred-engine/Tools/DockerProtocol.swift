import Credentials
import FoundationEssentials
import Secrets

/// docker's credential helper (docker-credential-helpers): also podman's, skopeo's and buildah's.
///
/// Errors go to standard output, and the client compares three of them word by word.
enum DockerProtocol: ToolProtocol {
  static let name = "docker-credential-coder-cred"

  struct Stored: Decodable {
    let ServerURL: String?
    let Username: String?
    let Secret: String?
  }

  /// What went wrong, in the words of the protocol.
  private enum Problem: String, Error {
    case nothingStored = "credentials not found in native keychain"
    case noServer = "no credentials server URL"
    case noUser = "no credentials username"
  }

  static func run(_ arguments: [String]) -> Int32 {
    do {
      try carryOut(arguments)
      return 0
    } catch let problem as Problem {
      try? Terminal.show("\(problem.rawValue)\n")
    } catch {
      let failure = failure(of: error)
      let hint = failure.hint.map { "; \($0)" } ?? ""
      try? Terminal.show(Terminal.clean(failure.message + hint) + "\n")
      SignInNotice(environment: .ofThisProcess).announce(failure)
    }
    return 1
  }

  private static func carryOut(_ arguments: [String]) throws {
    let usage = "usage: \(name) get|store|erase|list|version"
    guard arguments.count == 1 else { throw Failure(.fixTheCall, usage) }
    let context = CommandContext()
    let credentials = ToolCredentials(context: context, tool: "docker")
    switch arguments[0] {
    case "get": try get(context, credentials)
    case "store": try store(credentials)
    // docker's logout erases a server by up to four names, of which all must succeed.
    case "erase": _ = try credentials.forget(server(named: readServer()))
    case "list": try list(credentials)
    case "version", "--version", "-v":
      try Terminal.show("\(name) (coder-cred) v\(Version.number)\n")
    case "--help", "-h": try Terminal.show("\(usage)\n")
    default: throw Failure(.fixTheCall, usage)
    }
  }

  private static func get(_ context: CommandContext, _ credentials: ToolCredentials) throws {
    let name = try readServer()
    let server = try server(named: name)
    guard let session = try credentials.kept(for: server) ?? context.session(at: server) else {
      throw Problem.nothingStored
    }
    try Terminal.output(Credential(session).docker(server: name))
  }

  private static func store(_ credentials: ToolCredentials) throws {
    var input = ToolInput()
    let stored = try input.json(Stored.self)
    guard let name = stored.ServerURL, !name.isEmpty else { throw Problem.noServer }
    guard let user = stored.Username, !user.isEmpty else { throw Problem.noUser }
    try credentials.keep(Secret(stored.Secret ?? ""), of: user, for: server(named: name))
  }

  /// Registries alone: docker asks for all it is told of, and sends that to its daemon.
  private static func list(_ credentials: ToolCredentials) throws {
    let users = try credentials.all().map { session in
      // Docker's own registry is named with the slash that a deployment's URL does without.
      let slash = session.deployment.path.isEmpty ? "" : "/"
      return (session.deployment.name + slash, session.account)
    }
    let isHub = { (name: String) in name.utf8.starts(with: "index.docker.io/".utf8) }
    try Terminal.showJSON(
      Dictionary(users.map { (isHub($0.0) ? "https://\($0.0)" : $0.0, $0.1) }) { $1 })
  }

  static func readServer() throws -> String {
    var input = ToolInput()
    let name = try input.text()
    guard !name.isEmpty else { throw Problem.noServer }
    return name
  }

  private static func server(named name: String) throws -> Deployment {
    try Deployment(server: name)
  }
}
