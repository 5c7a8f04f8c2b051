import ArgumentParser
import Credentials
import Glibc

/// A tool's own protocol for credential helpers, spoken under the name by which the tool finds us.
///
/// The protocol follows from that name alone; it is never guessed from what is on standard input.
protocol ToolProtocol: SendableMetatype {
  /// The name of our program to this tool.
  static var name: String { get }
  /// Does what the tool asks.
  ///
  /// - Parameter arguments: what follows the program's name.
  /// - Returns: the exit status.
  static func run(_ arguments: [String]) -> Int32
}

/// The tools that call us by a name of their own. git does too, but speaks the ordinary commands.
enum ToolProtocols {
  private static let all: [any ToolProtocol.Type] = [
    BazelProtocol.self, CargoProtocol.self, DockerProtocol.self, TerraformProtocol.self,
  ]

  /// The protocol that a program's name stands for; nil for the ordinary commands.
  static func named(_ program: String) -> (any ToolProtocol.Type)? {
    let name = program.utf8.split(separator: UInt8(ascii: "/")).last.flatMap { String($0) }
    return all.first { $0.name == name }
  }
}

extension ToolProtocol {
  /// Says on standard error what failed. These tools know one failure: status 1.
  static func fail(_ failure: Failure) -> Int32 {
    Terminal.report(failure)
    SignInNotice(environment: .ofThisProcess).announce(failure)
    return 1
  }

  /// What an error says to the tool's user.
  static func failure(of error: any Error) -> Failure {
    Failure(translating: error) ?? Failure(.fixTheCall, CredentialOptions.message(for: error))
  }
}

extension CommandContext {
  /// The live session of a server that a tool has named; nil when nothing is stored for it.
  ///
  /// What a tool asks for over plain http is not for us, unless the person allowed it.
  func session(at server: Deployment, _ arguments: [String] = []) throws -> StoredSession? {
    guard server.isHTTP, (try? requireConfidential(server)) != nil else { return nil }
    let options = try CredentialOptions.parse(arguments)
    let request = CredentialRequest(deployment: server, username: options.account)
    // A password is git's, and for git alone.
    return try session(for: request, options).flatMap { $0.isForDeployment ? $0 : nil }
  }
}
