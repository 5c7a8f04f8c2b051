import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A person's desk: a desktop session of their own, a deployment, a browser that allows what it is
/// asked, and the built program.
///
/// Whatever the program says is searched for secrets: the deployment puts a word into each.
final class Desk {
  static let canary = "CanaryX7q"

  let session: PrivateDesktop
  let deployment: DeploymentSimulator
  let program: String
  /// What commands get besides the session's environment.
  var environment: [String: String] = [:]

  var url: String { deployment.url }
  var configuration: String { "\(session.directory)/config/coder-cred/config" }
  var coderCLI: String { "\(session.directory)/config/coderv2" }

  init(
    _ kind: SecretServiceProvider = .unlocked, era: DeploymentSimulator.Era = .c,
    users: [String] = ["alice"]
  ) throws {
    session = try PrivateDesktop(kind)
    deployment = try Self.deployment(era: era, users: users)
    program = try Products.executable("coder-cred")
    environment["BROWSER"] = try browser(as: nil)
  }

  static func deployment(
    era: DeploymentSimulator.Era = .c, users: [String] = ["alice"]
  ) throws -> DeploymentSimulator {
    var settings = DeploymentSimulator.Settings(era: era)
    settings.users = users
    settings.canary = canary
    return try DeploymentSimulator(settings)
  }

  /// A script that `BROWSER` can name, signed in as a user of the deployment.
  func browser(as user: String?) throws -> String {
    let path = "\(session.directory)/browser-\(user ?? "anyone")"
    let simulator = try Products.executable("deployment-simulator")
    let flags = user.map { "--user \($0) " } ?? ""
    try write("#!/bin/sh\nexec '\(simulator)' browse \(flags)\"$1\"\n", to: path)
    chmod(path, 0o755)
    return path
  }

  func write(_ text: String, to path: String) throws {
    let folder = (path as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  /// Runs the program without a controlling terminal, and finds no secret in what it says.
  @discardableResult
  func run(
    _ arguments: String..., environment additions: [String: String] = [:], input: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CommandResult {
    let result = try session.run(
      "setsid", ["--wait", program] + arguments, input: Array(input.utf8),
      environment: environment.merging(additions) { $1 }, timeoutSeconds: 60)
    #expect(!result.stderr.contains(Self.canary), sourceLocation: sourceLocation)
    if !["get", "token"].contains(arguments.first) {
      #expect(!result.stdout.contains(Self.canary), sourceLocation: sourceLocation)
    }
    #expect(!result.timedOut, sourceLocation: sourceLocation)
    return result
  }

  func login(as user: String? = nil, to url: String? = nil) throws {
    let browser = try browser(as: user)
    let result = try run("login", url ?? self.url, environment: ["BROWSER": browser])
    try #require(result.status == 0, "\(result.stderr)")
  }

  /// Everything of ours in the keyring, as another program sees it.
  func items() throws -> String {
    let result = try session.run("secret-tool", ["search", "--all", "application", "coder-cred"])
    return result.stdout + result.stderr
  }

  /// What a verb prints as JSON.
  func json(_ result: CommandResult) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(result.output))
  }

  /// The rows of `status --json` or `list --json`.
  func rows(_ result: CommandResult) throws -> [[String: Any]] {
    try #require(try json(result) as? [[String: Any]])
  }

  /// Waits for something that happens elsewhere.
  func wait(seconds: Double = 15, until condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock.now.advanced(by: .seconds(seconds))
    while ContinuousClock.now < end {
      if try condition() { return true }
      usleep(10_000)
    }
    return false
  }
}
