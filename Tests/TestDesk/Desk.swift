package import DeploymentSimulator
import Foundation
import Synchronization
package import Testing

/// Everything a user has before them: a desktop, a Coder deployment, and the programs as built.
///
/// Every token, code and secret of the deployment, and every password that ``plant(_:)`` makes, holds
/// one canary. Each run checks that it goes nowhere but where a credential is expected, and the end
/// of ``with(_:_:bus:traces:sourceLocation:_:)`` looks for it in every file and in the deployment's log.
package final class Desk: Sendable {
  package let desktop: PrivateDesktop
  package let deployment: DeploymentSimulator
  package let canary: Canary
  /// What users run: the fast path, which hands over to the full program.
  package let program: String
  /// The full program.
  package let fullProgram: String
  private let variables: Mutex<[String: String]>
  private let filesWithSecrets = Mutex<Set<String>>([])

  /// Where the deployment is.
  package var url: String { deployment.url }
  /// The directory of everything but the deployment.
  package var directory: String { desktop.directory }
  /// The configuration file.
  package var configuration: String { "\(directory)/config/coder-cred/config" }

  /// What programs get besides the desktop's environment.
  package var environment: [String: String] {
    get { variables.withLock { $0 } }
    set { variables.withLock { $0 = newValue } }
  }

  private init(
    _ provider: SecretServiceProvider, _ settings: DeploymentSimulator.Settings,
    bus: PrivateDesktop.Bus, traces: Bool
  ) throws {
    canary = Canary()
    var settings = settings
    settings.canary = canary.word
    deployment = try DeploymentSimulator(settings)
    desktop = try PrivateDesktop(provider, bus: bus)
    program = try Products.executable("coder-cred")
    fullProgram = try Products.executable("coder-cred-engine")
    variables = Mutex(traces ? ["CODER_CRED_TRACE": "1"] : [:])
  }

  /// Sets a desk up, does the work, looks for secrets in whatever is left, and tears it down.
  ///
  /// With `traces`, the programs write on standard error what they do.
  package static func with(
    _ provider: SecretServiceProvider = .unlocked,
    _ settings: DeploymentSimulator.Settings = .init(), bus: PrivateDesktop.Bus = .daemon,
    traces: Bool = false, sourceLocation: SourceLocation = #_sourceLocation,
    _ work: (Desk) throws -> Void
  ) throws {
    let desk = try Desk(provider, settings, bus: bus, traces: traces)
    defer {
      desk.deployment.stop()
      desk.desktop.tearDown()
    }
    try work(desk)
    desk.expectNoSecretLeft(sourceLocation)
  }

  /// Another deployment, whose secrets hold the same canary; end it with `stop()`.
  package func anotherDeployment(
    _ settings: DeploymentSimulator.Settings = .init()
  ) throws -> DeploymentSimulator {
    var settings = settings
    settings.canary = canary.word
    return try DeploymentSimulator(settings)
  }

  /// Exempts a file from the search at the end: another program, or the test, keeps a secret there.
  package func expectSecret(in file: String) { filesWithSecrets.withLock { _ = $0.insert(file) } }

  /// A password that holds the canary.
  package func plant(_ rest: String = "") -> String { "pw-\(canary.word)\(rest)" }

  /// Runs `coder-cred` to its end, which must be by itself and with a documented status.
  ///
  /// Standard output may hold a secret if a command that prints credentials succeeds; standard error
  /// never may.
  @discardableResult
  package func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:],
    directory: String? = nil, timeoutSeconds: Double = 60,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CommandResult {
    let result = try desktop.run(
      program, arguments, input: Array(input.utf8),
      environment: self.environment.merging(environment) { $1 }, directory: directory,
      timeoutSeconds: timeoutSeconds)
    // The status of `exec` is its command's.
    let isExec = arguments.contains("exec")
    let printsCredentials = arguments.contains { Self.credentialCommands.contains($0) }
    expectDiscreet(
      result, "\(arguments)", mayPrintSecret: isExec || printsCredentials && result.status == 0,
      sourceLocation)
    #expect(
      Self.documented.contains(result.status) || isExec,
      "\(arguments) ended with \(result.status), browser: \(browserLog)",
      sourceLocation: sourceLocation)
    return result
  }

  /// Runs another program, such as git, to its end under the same watch; its standard output may
  /// hold a secret.
  @discardableResult
  package func run(
    _ executable: String, _ arguments: [String], input: String = "",
    environment: [String: String] = [:], directory: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CommandResult {
    let result = try desktop.run(
      executable, arguments, input: Array(input.utf8),
      environment: self.environment.merging(environment) { $1 }, directory: directory,
      timeoutSeconds: 60)
    expectDiscreet(
      result, "\(executable) \(arguments)", mayPrintSecret: true, sourceLocation)
    return result
  }

  /// Starts `coder-cred` and leaves it running; its output goes to `log`, or to the journal.
  package func start(
    _ arguments: [String], environment: [String: String] = [:], directory: String? = nil,
    log: String? = nil
  ) throws -> ChildProcess {
    try desktop.start(
      program, arguments, environment: self.environment.merging(environment) { $1 },
      directory: directory, log: log)
  }

  /// README, exit status.
  private static let documented: Set<Int32> = [0, 1, 64, 65, 69, 70, 75, 76, 77]

  private static let credentialCommands: Set<String> = ["get", "token", "header", "api"]

  private func expectDiscreet(
    _ result: CommandResult, _ what: String, mayPrintSecret: Bool,
    _ sourceLocation: SourceLocation
  ) {
    #expect(!result.timedOut, "\(what) did not end", sourceLocation: sourceLocation)
    #expect(
      result.timedOut || result.signal == nil, "\(what) ended by a signal",
      sourceLocation: sourceLocation)
    #expect(
      !canary.isIn(result.errors), "\(what) prints a secret on standard error",
      sourceLocation: sourceLocation)
    #expect(
      mayPrintSecret || !canary.isIn(result.output), "\(what) prints a secret on standard output",
      sourceLocation: sourceLocation)
  }

  private func expectNoSecretLeft(_ sourceLocation: SourceLocation) {
    let expected = filesWithSecrets.withLock { $0 }
    for file in canary.files(below: directory, except: desktop.keyrings)
    where !expected.contains(file) {
      Issue.record("\(file) holds a secret", sourceLocation: sourceLocation)
    }
    for request in deployment.requests where request.query.values.contains(where: canary.isIn) {
      Issue.record("a query held a secret: \(request)", sourceLocation: sourceLocation)
    }
  }
}
